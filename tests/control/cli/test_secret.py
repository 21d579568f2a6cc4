"""`outrider secret` as an operator types it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from contract.exit_statuses import ExitStatus
from control.secrets.keeping import find_secret
from tests.control.plane import Plane

Outrider = Callable[..., Result]

VALUE = "LIC-0123-4567-89AB"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "licence.txt"
    path.write_text(f"{VALUE}\n", encoding="utf-8")
    return path


def kept(plane: Plane, name: str = "licence") -> str:
    with plane.services.database.snapshot() as session:
        secret = find_secret(session, name)
        return plane.services.secrets.unwrap(name, secret.version, secret.wrapped)


def printed(result: Result) -> Any:
    assert result.exit_code == ExitStatus.OK, result.output
    return json.loads(result.stdout)


def test_a_file_is_kept_as_it_is_and_what_is_piped_without_its_line_end(
    plane: Plane, outrider: Outrider, file: Path
) -> None:
    assert "licence has version 1" in outrider("secret", "set", "licence", "--from-file", str(file)).stdout
    assert kept(plane) == f"{VALUE}\n"
    for ended in (VALUE, f"{VALUE}\n", f"{VALUE}\r\n"):
        assert outrider("secret", "set", "licence", typed=ended).exit_code == 0
        assert kept(plane) == VALUE
    assert outrider("secret", "set", "licence", typed=f"{VALUE}\n\n").exit_code == 0
    assert kept(plane) == f"{VALUE}\n"


def test_secrets_are_listed_and_shown_without_their_values(outrider: Outrider, file: Path) -> None:
    for name in ("licence", "another"):
        outrider("secret", "set", name, "--from-file", str(file))
    assert [secret["name"] for secret in printed(outrider("secret", "list", "--json"))] == ["another", "licence"]
    assert printed(outrider("secret", "show", "licence", "--json"))["version"] == 1
    for arguments in (["list"], ["show", "licence"], ["list", "--json"], ["show", "licence", "--json"]):
        assert VALUE not in outrider("secret", *arguments).output


def test_a_deleted_secret_is_gone(outrider: Outrider, file: Path) -> None:
    outrider("secret", "set", "licence", "--from-file", str(file))
    assert "licence is gone" in outrider("secret", "delete", "licence").stdout
    result = outrider("secret", "show", "licence")
    assert result.exit_code == ExitStatus.USAGE
    assert "no such secret" in result.output


@pytest.mark.parametrize(
    ("data", "word"), [(b"short", "6 characters"), (b"x" * 32_001, "32000 characters"), (b"\xff" * 9, "UTF-8")]
)
def test_a_value_that_cannot_be_kept_is_refused_with_its_place_and_never_shown(
    outrider: Outrider, file: Path, data: bytes, word: str
) -> None:
    file.write_bytes(data)
    result = outrider("secret", "set", "licence", "--from-file", str(file))
    assert result.exit_code == ExitStatus.USAGE
    assert word in result.output
    assert file.name in result.output.replace("\n  ", "")
    assert data.decode("latin-1") not in result.output.replace("too_short", "")


def test_a_file_that_is_not_there_is_named(outrider: Outrider, tmp_path: Path) -> None:
    result = outrider("secret", "set", "licence", "--from-file", str(tmp_path / "none"))
    assert result.exit_code == ExitStatus.USAGE
    assert "none" in result.output


def test_a_value_cannot_be_an_argument(outrider: Outrider) -> None:
    assert outrider("secret", "set", "licence", VALUE).exit_code == ExitStatus.USAGE
