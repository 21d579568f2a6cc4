"""Detection.xml as bytes: parsed from any writer, written as Microsoft's tool writes it (package 1.3, 1.8)."""

import base64
import binascii
from collections.abc import Iterator
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import ValidationError

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.metadata import (
    DEFAULT_FILE_NAME,
    DIGEST_ALGORITHM,
    PROFILE,
    EncryptionInfo,
    MsiInfo,
    PackageMetadata,
)

#: Real files have one or two kilobytes.
MAX_XML_BYTES = 1 << 20

_PLACE = "Detection.xml"
_MAX_DIGITS = 18

_ROOT = (
    '<ApplicationInfo xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)

#: Field of MsiInfo and element, in the order of real files.
_MSI_ELEMENTS = {
    "product_code": "MsiProductCode",
    "product_version": "MsiProductVersion",
    "package_code": "MsiPackageCode",
    "upgrade_code": "MsiUpgradeCode",
    "execution_context": "MsiExecutionContext",
    "requires_logon": "MsiRequiresLogon",
    "requires_reboot": "MsiRequiresReboot",
    "is_machine_install": "MsiIsMachineInstall",
    "is_user_install": "MsiIsUserInstall",
    "includes_services": "MsiIncludesServices",
    "includes_odbc_data_source": "MsiIncludesODBCDataSource",
    "contains_system_registry_keys": "MsiContainsSystemRegistryKeys",
    "contains_system_folders": "MsiContainsSystemFolders",
    "publisher": "MsiPublisher",
}

#: Field of EncryptionInfo and element, in the order of real files.
_ENCRYPTION_ELEMENTS = {
    "encryption_key": "EncryptionKey",
    "mac_key": "MacKey",
    "initialization_vector": "InitializationVector",
    "mac": "Mac",
    "profile_identifier": "ProfileIdentifier",
    "file_digest": "FileDigest",
    "file_digest_algorithm": "FileDigestAlgorithm",
}
_STATED_IN_WORDS = {"profile_identifier": PROFILE, "file_digest_algorithm": DIGEST_ALGORITHM}


def parse_detection_xml(data: bytes) -> PackageMetadata:
    """Read Detection.xml from any writer: with or without namespaces, declaration, BOM; LF or CRLF; unknown elements.

    Raises:
        PackageError: PACKAGE_CORRUPT where the XML is broken or a field is missing, doubled or wrong; PACKAGE_UNSAFE
            where it declares a document type or entities.
    """
    root = _Fields(_parse(data))
    encryption = root.child("EncryptionInfo") or _refuse("the element EncryptionInfo is missing")
    try:
        return PackageMetadata(
            name=root.text("Name") or "",
            unencrypted_content_size=_integer("UnencryptedContentSize", root.required("UnencryptedContentSize")),
            file_name=root.text("FileName") or DEFAULT_FILE_NAME,
            setup_file=root.required("SetupFile"),
            tool_version=root.attribute("ToolVersion"),
            encryption=_encryption(encryption),
            msi=_msi(root.child("MsiInfo")),
            description=root.text("Description"),
        )
    except ValidationError as error:
        first = error.errors()[0]
        _refuse(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


def write_detection_xml(metadata: PackageMetadata) -> bytes:
    """Detection.xml to the byte as Microsoft's tool writes it (package 1.3)."""
    return "\r\n".join(_lines(metadata)).encode()


def _lines(metadata: PackageMetadata) -> Iterator[str]:
    version = _escape(metadata.tool_version).replace('"', "&quot;")
    yield f'{_ROOT} ToolVersion="{version}">'
    yield _element("Name", metadata.name)
    if metadata.description is not None:
        yield _element("Description", metadata.description)
    yield _element("UnencryptedContentSize", metadata.unencrypted_content_size)
    yield _element("FileName", metadata.file_name)
    yield _element("SetupFile", metadata.setup_file)
    yield from _section("EncryptionInfo", _ENCRYPTION_ELEMENTS, metadata.encryption)
    if metadata.msi is not None:
        yield from _section("MsiInfo", _MSI_ELEMENTS, metadata.msi)
    yield "</ApplicationInfo>"


def _section(tag: str, elements: dict[str, str], model: EncryptionInfo | MsiInfo) -> Iterator[str]:
    yield f"  <{tag}>"
    for field, element in elements.items():
        value = getattr(model, field)
        if value is not None:
            yield "  " + _element(element, value)
    yield f"  </{tag}>"


def _element(tag: str, value: str | int | bytes) -> str:
    match value:
        case bool():
            text = str(value).lower()
        case bytes():
            text = base64.b64encode(value).decode()
        case _:
            text = _escape(str(value))
    return f"  <{tag}>{text}</{tag}>" if text else f"  <{tag} />"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _parse(data: bytes) -> Element:
    if len(data) > MAX_XML_BYTES:
        raise PackageError(
            ErrorCode.PACKAGE_UNSAFE, detail=f"{len(data)} bytes, at most {MAX_XML_BYTES} are read", place=_PLACE
        )
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        detail = "it declares a document type or entities, which no package needs"
        raise PackageError(ErrorCode.PACKAGE_UNSAFE, detail=detail, place=_PLACE) from error
    except (ParseError, ValueError, LookupError) as error:
        raise PackageError(ErrorCode.PACKAGE_CORRUPT, detail=f"broken XML: {error}", place=_PLACE) from error
    if _local(root.tag) != "ApplicationInfo":
        _refuse(f"the root element is {_local(root.tag)!r}, expected 'ApplicationInfo'")
    return root


class _Fields:
    """The children of one element by their local names."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._children: dict[str, Element] = {}
        for child in element:
            name = _local(child.tag)
            if name in self._children:
                _refuse(f"the element {name} stands there twice")
            self._children[name] = child

    def child(self, name: str) -> "_Fields | None":
        found = self._children.get(name)
        return None if found is None else _Fields(found)

    def text(self, name: str) -> str | None:
        found = self._children.get(name)
        return None if found is None else (found.text or "").strip()

    def required(self, name: str) -> str:
        return self.text(name) or _refuse(f"the element {name} is missing or empty")

    def attribute(self, name: str) -> str:
        return str(self._element.get(name, ""))


def _encryption(fields: _Fields) -> EncryptionInfo:
    for field, expected in _STATED_IN_WORDS.items():
        found = fields.required(_ENCRYPTION_ELEMENTS[field])
        if found != expected:
            _refuse(f"{_ENCRYPTION_ELEMENTS[field]} is {found[:80]!r}, expected {expected!r}")
    binary = {
        field: _binary(element, fields.required(element))
        for field, element in _ENCRYPTION_ELEMENTS.items()
        if field not in _STATED_IN_WORDS
    }
    return EncryptionInfo.model_validate(binary)


def _msi(fields: _Fields | None) -> MsiInfo | None:
    if fields is None:
        return None
    texts = {field: fields.text(element) for field, element in _MSI_ELEMENTS.items()}
    return MsiInfo.model_validate({field: text for field, text in texts.items() if text})


def _binary(element: str, text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        _refuse(f"{element} is not base64")


def _integer(element: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        _refuse(f"{element} is {text[:80]!r}, expected a number of bytes")
    return int(text)


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _refuse(detail: str) -> NoReturn:
    raise PackageError(ErrorCode.PACKAGE_CORRUPT, detail=detail, place=_PLACE)
