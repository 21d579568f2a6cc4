"""Every command of `outrider`: what scripts and people may rely on, wherever they are."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.core import TyperOption
from typer.testing import CliRunner, Result

from contract.exit_statuses import ExitStatus
from control.cli.main import app
from tests.support.commands import commands

Outrider = Callable[..., Result]

#: What they print is a document or a file of its own kind already.
WITHOUT_JSON = {"app schema", "app export", "schema", "logout"}


EVERY = dict(commands(app))
by_name = pytest.mark.parametrize("name", EVERY)


def options(name: str) -> set[str]:
    return {option for parameter in EVERY[name].params for option in parameter.opts}


@pytest.mark.parametrize(
    ("shell", "word"),
    [("bash", "COMP_WORDS"), ("zsh", "compdef"), ("fish", "complete --command"), ("powershell", "Register-Argument")],
)
def test_the_completion_of_each_shell_can_be_printed(monkeypatch: pytest.MonkeyPatch, shell: str, word: str) -> None:
    # The option then takes the shell's name; otherwise Typer looks which one it was started from.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    shown = CliRunner().invoke(app, ["--show-completion", shell], prog_name="outrider")
    assert shown.exit_code == 0, shown.output
    assert "_OUTRIDER_COMPLETE" in shown.stdout
    assert word in shown.stdout


def test_completion_offers_commands_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(typed: str) -> str:
        monkeypatch.setenv("_OUTRIDER_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", typed)
        monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
        return CliRunner().invoke(app, [], prog_name="outrider").stdout

    assert offered("outrider roll").split() == ["rollout"]
    assert "pause" in offered("outrider rollout p").split()
    assert "--timeout" in offered("outrider wait --t").split()


@by_name
def test_each_says_its_exit_statuses(name: str) -> None:
    assert "Exit status: 0 " in (EVERY[name].epilog or EVERY[name].help or "")


@by_name
def test_each_has_an_example_unless_its_name_says_it_all(name: str) -> None:
    required = [parameter for parameter in EVERY[name].params if parameter.required]
    assert f"Example: outrider {name}" in " ".join((EVERY[name].help or "").split()) or not required


@by_name
def test_each_can_print_json(name: str) -> None:
    assert "--json" in options(name) or name in WITHOUT_JSON


@by_name
def test_each_explains_every_option(name: str) -> None:
    silent = [one.name for one in EVERY[name].params if isinstance(one, TyperOption) and not one.help]
    assert not silent


@by_name
def test_what_is_no_option_is_wrong_input(outrider: Outrider, name: str) -> None:
    result = outrider(*name.split(), "--no-such-option")
    assert result.exit_code == ExitStatus.USAGE
    assert "Traceback" not in result.output


@by_name
def test_each_tells_a_refused_token_and_not_a_traceback(
    outrider: Outrider, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTRIDER_TOKEN", "guessed")
    required = [one for one in EVERY[name].params if one.required]
    arguments = [part for one in required for part in _given(one)]
    result = outrider(*name.split(), *arguments)
    assert result.exit_code in {*ExitStatus}
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def _given(parameter: Any) -> list[str]:
    value = "\x1b[2J/..;'\"ä"
    return [parameter.opts[0], value] if isinstance(parameter, TyperOption) else [value]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_OUTRIDER_COMPLETE", f"source_{shell}")
    result = CliRunner().invoke(app, [], prog_name="outrider")
    assert result.exit_code == ExitStatus.OK
    assert "outrider" in result.stdout


def test_the_shell_is_told_the_commands_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_OUTRIDER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "outrider st")
    monkeypatch.setenv("COMP_CWORD", "1")
    result = CliRunner().invoke(app, [], prog_name="outrider")
    assert result.stdout.split() == ["status"]
