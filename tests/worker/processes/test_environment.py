from worker.processes.environment import Environment

SOURCE = {"HOME": "/root", "AWS_SECRET_ACCESS_KEY": "secret", "HTTPS_PROXY": "http://proxy", "PATH": "/odd"}


def test_nothing_of_the_agents_own_environment_gets_through_unasked() -> None:
    variables = Environment((), SOURCE).variables()
    assert "AWS_SECRET_ACCESS_KEY" not in variables
    assert "HTTPS_PROXY" not in variables
    assert variables["HOME"] == "/root"
    assert "/usr/bin" in variables["PATH"]
    assert variables["LANG"] == "C.UTF-8"


def test_what_the_settings_pass_on_gets_through() -> None:
    variables = Environment(("HTTPS_PROXY", "PATH", "NOT_SET"), SOURCE).variables()
    assert variables["HTTPS_PROXY"] == "http://proxy"
    assert variables["PATH"] == "/odd"
    assert "NOT_SET" not in variables


def test_what_the_agent_adds_wins() -> None:
    assert Environment(("HOME",), SOURCE).variables(HOME="/other")["HOME"] == "/other"
