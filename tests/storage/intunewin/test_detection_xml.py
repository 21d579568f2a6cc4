"""Detection.xml from every writer, and to the byte."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.detection_xml import parse_detection_xml, write_detection_xml
from storage.intunewin.metadata import EncryptionInfo, MsiExecutionContext, MsiInfo, PackageMetadata

METADATA = PackageMetadata(
    name="R&D <setup>.exe",
    unencrypted_content_size=1234,
    setup_file="Files\\R&D <setup>.exe",
    tool_version="1.8.7.0",
    encryption=EncryptionInfo(
        encryption_key=b"e" * 32,
        mac_key=b"m" * 32,
        initialization_vector=b"i" * 16,
        mac=b"a" * 32,
        file_digest=b"d" * 32,
    ),
)
MSI = MsiInfo(
    product_code="{A39A1B33-CEB9-4875-BA5B-980AD93D91FC}",
    product_version="2.6.3",
    package_code="{712AD9AE-A5E8-4F31-9BAC-BA3997370490}",
    execution_context=MsiExecutionContext.ANY,
    publisher="Ünïcode Ltd",
)
XML = write_detection_xml(METADATA)


def refused(data: bytes) -> PackageError:
    with pytest.raises(PackageError) as caught:
        parse_detection_xml(data)
    return caught.value


def test_what_is_written_is_read_again() -> None:
    assert parse_detection_xml(XML) == METADATA
    with_msi = METADATA.model_copy(update={"msi": MSI})
    assert parse_detection_xml(write_detection_xml(with_msi)) == with_msi


@given(name=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1).map(str.strip))
def test_any_name_survives(name: str) -> None:
    metadata = METADATA.model_copy(update={"name": name, "setup_file": name or "x"})
    assert parse_detection_xml(write_detection_xml(metadata)) == metadata


def test_the_bytes_are_those_of_the_original_tool() -> None:
    lines = XML.split(b"\r\n")
    assert lines[0].startswith(b'<ApplicationInfo xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi=')
    assert lines[1] == b"  <Name>R&amp;D &lt;setup&gt;.exe</Name>"
    assert lines[-1] == b"</ApplicationInfo>"
    assert b"<?xml" not in XML


def test_every_real_file_is_written_as_it_was_read(real_xml: dict[str, bytes]) -> None:
    for name, data in real_xml.items():
        assert write_detection_xml(parse_detection_xml(data)) == data, name


@pytest.mark.parametrize(
    "data",
    [
        XML.replace(b"\r\n", b"\n"),
        XML.replace(b"\r\n", b""),
        b"\xef\xbb\xbf" + XML,
        b'<?xml version="1.0" encoding="utf-8"?>\r\n' + XML,
        XML.decode().encode("utf-16"),
        re.sub(rb" xmlns:\w+=\"[^\"]*\"", b"", XML),
        XML.replace(b"<Name>", b"<Unknown><Deep/></Unknown><Name>"),
        XML.replace(b"<ApplicationInfo ", b'<ApplicationInfo xmlns="urn:some" '),
    ],
    ids=["LF", "one line", "mark", "declaration", "UTF-16", "no namespaces", "unknown elements", "default namespace"],
)
def test_what_other_writers_do_is_read(data: bytes) -> None:
    assert parse_detection_xml(data) == METADATA


def test_an_msi_description_of_another_writer_is_read_as_far_as_it_goes() -> None:
    msi = b"<MsiInfo><MsiProductVersion/><MsiExecutionContext>Dual</MsiExecutionContext><MsiRequiresLogon /></MsiInfo>"
    found = parse_detection_xml(XML.replace(b"</ApplicationInfo>", msi + b"</ApplicationInfo>")).msi
    assert found == MsiInfo(execution_context="Dual")


def test_wrapped_base64_is_read() -> None:
    key = base64.b64encode(b"e" * 32)
    assert parse_detection_xml(XML.replace(key, b"\n  " + key[:20] + b"\n  " + key[20:] + b"\n")) == METADATA


def test_a_missing_tool_version_is_read_as_empty() -> None:
    assert parse_detection_xml(XML.replace(b' ToolVersion="1.8.7.0"', b"")).tool_version == ""


BOMB = b"""<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<ApplicationInfo><Name>&c;</Name></ApplicationInfo>"""
EXTERNAL = (
    b"""<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><ApplicationInfo><Name>&b;</Name></ApplicationInfo>"""
)


@pytest.mark.parametrize("data", [BOMB, EXTERNAL, b"<!DOCTYPE a>" + XML, b" " * (1 << 20) + XML])
def test_bombs_external_entities_and_giants_are_refused(data: bytes) -> None:
    assert refused(data).code is ErrorCode.PACKAGE_UNSAFE


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "broken XML"),
        (XML[:-5], "broken XML"),
        (b"<Other/>", "'Other'"),
        (b'<?xml version="1.0" encoding="no-such"?>' + XML, "broken XML"),
        (XML.replace(b"SetupFile", b"Setup"), "SetupFile is missing"),
        (XML.replace(b"EncryptionInfo", b"Info"), "EncryptionInfo is missing"),
        (XML.replace(b"<Mac>", b"<Mac>!"), "Mac is not base64"),
        (XML.replace(base64.b64encode(b"i" * 16), base64.b64encode(b"i" * 15)), "initialization_vector"),
        (XML.replace(b"1234", b"-1"), "'-1'"),
        (XML.replace(b"1234", b"1e9"), "'1e9'"),
        (XML.replace(b"1234", b"9" * 400), "UnencryptedContentSize"),
        (XML.replace(b"ProfileVersion1", b"ProfileVersion2"), "expected 'ProfileVersion1'"),
        (XML.replace(b"SHA256", b"MD5"), "expected 'SHA256'"),
        (XML.replace(b"</Name>", b"</Name><Name>b</Name>"), "Name stands there twice"),
    ],
)
def test_broken_metadata_is_refused_by_name(data: bytes, named: str) -> None:
    error = refused(data)
    assert error.code is ErrorCode.PACKAGE_CORRUPT
    assert named in error.detail
    assert error.place == "Detection.xml"


def test_keys_never_show_in_errors() -> None:
    error = refused(XML.replace(base64.b64encode(b"e" * 32), base64.b64encode(b"secret")))
    assert "secret" not in str(error)
    assert "c2VjcmV0" not in str(error)
