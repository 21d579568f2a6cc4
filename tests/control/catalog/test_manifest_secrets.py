"""What a manifest may say of secrets."""

from typing import Any

import pytest

from contract.errors import DocumentError
from control.catalog.manifest_reader import validate_manifest
from tests.control.plane import manifest_data


def _read(*entries: dict[str, Any]) -> Any:
    return validate_manifest(manifest_data(secrets=list(entries))).secrets


def test_a_secret_is_given_to_the_install_command_unless_it_says_otherwise() -> None:
    by_variable, by_file = _read(
        {"name": "licence", "env": "LICENCE"}, {"name": "licence", "file": "licence.txt", "command": "both"}
    )
    assert (by_variable.env, by_variable.file, by_variable.command) == ("LICENCE", None, "install")
    assert (by_file.env, by_file.file, by_file.command) == (None, "licence.txt", "both")


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"name": "licence"}, "secrets[0]"),
        ({"name": "licence", "env": "A", "file": "a"}, "secrets[0]"),
        ({"name": "a licence", "env": "A"}, "secrets[0].name"),
        ({"name": "../licence", "env": "A"}, "secrets[0].name"),
        ({"name": "licence", "env": "A=B"}, "secrets[0].env"),
        ({"name": "licence", "env": "1A"}, "secrets[0].env"),
        ({"name": "licence", "env": "OUTRIDER_JOB_ID"}, "secrets[0].env"),
        ({"name": "licence", "env": "outrider_secrets_dir"}, "secrets[0].env"),
        ({"name": "licence", "file": "../escape"}, "secrets[0].file"),
        ({"name": "licence", "file": "a/b"}, "secrets[0].file"),
        ({"name": "licence", "file": "a\\b"}, "secrets[0].file"),
        ({"name": "licence", "file": ".."}, "secrets[0].file"),
        ({"name": "licence", "env": "A", "command": "detect"}, "secrets[0].command"),
        ({"name": "licence", "env": "A", "argument": 1}, "secrets[0].argument"),
        ({"name": "licence", "env": "A", "value": "LIC-0123"}, "secrets[0].value"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(entry: dict[str, Any], place: str) -> None:
    with pytest.raises(DocumentError) as caught:
        _read(entry)
    assert caught.value.place == place


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        ({"env": "A"}, {"env": "a"}, "secrets[1].env"),
        ({"file": "a"}, {"file": "A"}, "secrets[1].file"),
        ({"env": "A", "command": "both"}, {"env": "A", "command": "uninstall"}, "secrets[1].env"),
    ],
)
def test_two_secrets_in_one_place_are_refused(first: dict[str, str], second: dict[str, str], place: str) -> None:
    with pytest.raises(DocumentError) as caught:
        _read({"name": "one", **first}, {"name": "two", **second})
    assert caught.value.place == place


def test_each_command_may_be_given_another_in_the_same_place() -> None:
    assert len(_read({"name": "one", "env": "A"}, {"name": "two", "env": "A", "command": "uninstall"})) == 2


def test_more_than_a_few_are_refused() -> None:
    with pytest.raises(DocumentError):
        _read(*({"name": "one", "env": f"A{number}"} for number in range(21)))
