"""The ways to hand an enrolment token to `outrider-agent enroll`, and what is no token."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from contract.exit_statuses import ExitStatus
from worker.cli.commands import app
from worker.cli.enrollment_token import TOKEN_VARIABLE, enrollment_token


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens that devices tried to enrol with; each is refused before anything is sent."""
    tokens: list[str] = []

    def enroll(_settings: object, _url: object, token: str, *_: object) -> None:
        tokens.append(token)
        raise KeyboardInterrupt

    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.setattr("worker.cli.enroll._enroll", enroll)
    return tokens


def enroll(state: Path, *arguments: str, stdin: str | bytes = "") -> Result:
    url = "http://127.0.0.1:1"
    return CliRunner().invoke(app, ["enroll", url, *arguments, "--state-dir", str(state)], input=stdin)


def test_it_is_read_from_standard_input(tmp_path: Path, used: list[str]) -> None:
    enroll(tmp_path, "-", stdin="a-token\r\n")
    assert used == ["a-token"]


def test_it_is_read_from_a_file(tmp_path: Path, used: list[str]) -> None:
    file = tmp_path / "token.txt"
    file.write_text("a-token\n", encoding="ascii")
    enroll(tmp_path, "--token-file", str(file))
    assert used == ["a-token"]


def test_it_is_read_from_the_environment_where_nothing_else_is_said(
    tmp_path: Path, used: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "from-environment")
    enroll(tmp_path)
    enroll(tmp_path, "said")
    assert used == ["from-environment", "said"]


def test_a_person_is_asked_and_the_answer_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.setattr("worker.cli.enrollment_token.sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda _text, *, hide_input: "typed" if hide_input else "shown")
    assert enrollment_token("", None) == "typed"


@pytest.mark.parametrize("stdin", [b"", b"\n", b"two tokens", b"\xff\xfe", b"x" * 5000])
def test_what_is_no_token_is_said_and_not_shown(tmp_path: Path, used: list[str], stdin: bytes) -> None:
    result = enroll(tmp_path, "-", stdin=stdin)
    assert result.exit_code == ExitStatus.USAGE
    assert "standard input" in result.stderr
    assert "expected one token" in result.stderr
    assert "two tokens" not in result.stderr
    assert used == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path, used: list[str]) -> None:
    result = enroll(tmp_path, "--token-file", str(tmp_path / "none"))
    assert result.exit_code == ExitStatus.USAGE
    assert str(tmp_path / "none") in result.stderr
    assert used == []


@pytest.mark.parametrize("arguments", [(), ("a-token", "--token-file", "file")])
def test_no_place_or_two_are_refused(tmp_path: Path, used: list[str], arguments: tuple[str, ...]) -> None:
    result = enroll(tmp_path, *arguments)
    assert result.exit_code == ExitStatus.USAGE
    assert "--token-file" in result.stderr
    assert used == []
