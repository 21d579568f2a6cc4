"""What an MSI says of itself, by the rules of the format."""

from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.extract import extract_package
from storage.intunewin.metadata import MsiExecutionContext
from storage.intunewin.msi import MsiFacts, derive, product_name, read_msi
from storage.intunewin.reader import read_metadata

REQUIRED = {"ProductCode": "{aaaaaaaa-0000-0000-0000-000000000000}", "ProductVersion": "1.2.3"}


def facts(**properties: str) -> MsiFacts:
    return MsiFacts(properties=REQUIRED | properties)


@pytest.mark.parametrize(
    ("properties", "context", "logon", "user"),
    [
        ({}, MsiExecutionContext.USER, True, True),
        ({"ALLUSERS": "1"}, MsiExecutionContext.SYSTEM, False, False),
        ({"ALLUSERS": "2"}, MsiExecutionContext.ANY, False, False),
        ({"ALLUSERS": "2", "MSIINSTALLPERUSER": "1"}, MsiExecutionContext.ANY, False, True),
    ],
)
def test_for_whom_it_installs(
    properties: dict[str, str], context: MsiExecutionContext, logon: bool, user: bool
) -> None:
    info = derive(facts(**properties))
    assert (info.execution_context, info.requires_logon, info.is_user_install) == (context, logon, user)
    assert info.is_machine_install is not user


@pytest.mark.parametrize(("reboot", "expected"), [("Force", True), ("F", True), ("ReallySuppress", False), ("", False)])
def test_a_forced_restart(reboot: str, expected: bool) -> None:
    assert derive(facts(REBOOT=reboot)).requires_reboot is expected


@pytest.mark.parametrize(
    ("roots", "all_users", "expected"),
    [({2}, "", True), ({3}, "", True), ({-1}, "1", True), ({-1}, "", False), ({0, 1}, "1", False)],
)
def test_system_registry_keys(roots: set[int], all_users: str, expected: bool) -> None:
    found = MsiFacts(properties=REQUIRED | {"ALLUSERS": all_users}, registry_roots=frozenset(roots))
    assert derive(found).contains_system_registry_keys is expected


def test_names_and_codes_fall_back_and_are_upper_case() -> None:
    found = MsiFacts(properties=REQUIRED, subject="Subject", author="Author", revision="{bb}")
    info = derive(found)
    assert (product_name(found), info.publisher) == ("Subject", "Author")
    assert (info.product_code, info.package_code) == (REQUIRED["ProductCode"].upper(), "{BB}")
    assert product_name(facts(ProductName="Name")) == "Name"


@pytest.mark.parametrize("properties", [{"ALLUSERS": "3"}, {"ProductCode": ""}, {"ProductVersion": ""}])
def test_what_cannot_be_derived_is_refused(properties: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(properties))):
        derive(facts(**properties))


@pytest.mark.parametrize("content", [b"", b"MZ", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)])
def test_a_file_that_is_no_msi_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "setup.msi"
    path.write_bytes(content)
    with pytest.raises(PackageError) as caught:
        read_msi(path)
    assert caught.value.code is ErrorCode.PACKAGE_SOURCE_UNUSABLE


def test_a_real_msi_is_described_as_the_original_tool_does(real_packages: list[Path], tmp_path: Path) -> None:
    package = next(path for path in real_packages if "msi" in path.name)
    extract_package(package, tmp_path / "content")
    metadata = read_metadata(package)
    assert read_msi(tmp_path / "content" / metadata.setup_file) == (metadata.name, metadata.msi)
