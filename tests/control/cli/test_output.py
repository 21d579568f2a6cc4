"""Errors as people and programs see them."""

import json

import pytest
import typer

from contract.error_codes import ErrorCode
from contract.errors import PackageError, UnavailableError
from contract.exit_statuses import ExitStatus
from control.cli.output import handled

CORRUPT = PackageError(ErrorCode.PACKAGE_CORRUPT, detail="12 bytes, expected 13", place="a.intunewin")


def test_an_error_is_a_sentence_its_place_its_detail_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, handled():
        raise CORRUPT
    printed = capsys.readouterr()
    assert ended.value.exit_code == ExitStatus.USAGE
    assert printed.out == ""
    assert printed.err.splitlines() == [
        f"Error: {ErrorCode.PACKAGE_CORRUPT.sentence}",
        "  a.intunewin",
        "  12 bytes, expected 13",
        f"Hint: {ErrorCode.PACKAGE_CORRUPT.hint}",
    ]


def test_nothing_in_an_error_can_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), handled():
        raise PackageError(ErrorCode.PACKAGE_UNSAFE, detail="one\x1b[2J\ntwo\x07", place="a\nb\x9b1m")
    printed = capsys.readouterr().err
    assert printed.splitlines()[1:4] == ["  a\ufffdb\ufffd1m", "  one\ufffd[2J", "  two\ufffd"]


def test_a_program_gets_the_error_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), handled(as_json=True):
        raise CORRUPT
    assert json.loads(capsys.readouterr().err) == {
        "error": {
            "code": "package-corrupt",
            "sentence": ErrorCode.PACKAGE_CORRUPT.sentence,
            "detail": "12 bytes, expected 13",
            "place": "a.intunewin",
            "hint": ErrorCode.PACKAGE_CORRUPT.hint,
            "retry_helps": False,
        }
    }


def test_the_exit_status_tells_who_can_act() -> None:
    with pytest.raises(typer.Exit) as ended, handled():
        raise UnavailableError(ErrorCode.API_UNAVAILABLE)
    assert ended.value.exit_code == ExitStatus.UNAVAILABLE


def test_ctrl_c_ends_with_its_own_status() -> None:
    with pytest.raises(typer.Exit) as ended, handled():
        raise KeyboardInterrupt
    assert ended.value.exit_code == ExitStatus.INTERRUPTED
