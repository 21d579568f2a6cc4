"""What the package commands print: for people in lines, for programs as JSON."""

import base64
from collections.abc import Iterator
from typing import Any

from storage.intunewin.builder import BuildResult
from storage.intunewin.diff import PackageDiff
from storage.intunewin.listing import Listing
from storage.intunewin.metadata import EncryptionInfo, PackageMetadata
from storage.intunewin.verify import VerifyReport

_SECRETS = ("encryption_key", "mac_key")
_SHOWN_IGNORED = 5


def metadata_fields(metadata: PackageMetadata, *, show_keys: bool = False) -> dict[str, Any]:
    """The metadata as JSON fields; the two keys only where they are asked for."""
    fields = metadata.model_dump(mode="json", exclude={"encryption"})
    return fields | {"encryption": _encryption_fields(metadata.encryption, show_keys=show_keys)}


def build_fields(result: BuildResult) -> dict[str, Any]:
    """A build's result as JSON fields."""
    return {
        "path": str(result.path),
        "files": result.files,
        "empty_folders": result.folders,
        "source_bytes": result.source_bytes,
        "package_bytes": result.package_bytes,
        "ignored": list(result.ignored),
        "warnings": list(result.warnings),
        "metadata": metadata_fields(result.metadata),
    }


def build_lines(result: BuildResult) -> Iterator[str]:
    """A build's result for a person."""
    yield f"Built {result.path}"
    yield f"  {result.files} files, {result.source_bytes} bytes, packed to {result.package_bytes} bytes"
    yield f"  setup file {result.metadata.setup_file}, name {result.metadata.name}"
    if result.ignored:
        shown = ", ".join(result.ignored[:_SHOWN_IGNORED])
        more = len(result.ignored) - _SHOWN_IGNORED
        yield f"  left out: {shown}" + (f" and {more} more" if more > 0 else "")


def verify_fields(report: VerifyReport) -> dict[str, Any]:
    """A check's result as JSON fields."""
    return {
        "ok": True,
        "files": report.files,
        "folders": report.folders,
        "content_bytes": report.content_bytes,
        "blob_bytes": report.blob_bytes,
        "unusual": list(report.oddities),
        "metadata": metadata_fields(report.metadata),
    }


def verify_lines(report: VerifyReport) -> Iterator[str]:
    """A check's result for a person."""
    yield "The package is whole: MAC, digest, size, structure and the CRC of every file hold."
    yield f"  {report.files} files, {report.content_bytes} bytes; setup file {report.metadata.setup_file}"
    for oddity in report.oddities:
        yield f"  unusual: {oddity}"


def listing_fields(listing: Listing, *, show_keys: bool) -> dict[str, Any]:
    """A package's metadata and files as JSON fields."""
    files = [
        {
            "name": file.name,
            "size": file.size,
            "packed": file.packed,
            "modified": file.modified.isoformat() if file.modified else None,
        }
        | ({"sha256": file.digest} if file.digest else {})
        for file in listing.files
    ]
    metadata = metadata_fields(listing.metadata, show_keys=show_keys)
    return {"metadata": metadata, "blob_bytes": listing.blob_bytes, "files": files}


def listing_lines(listing: Listing, *, show_keys: bool) -> Iterator[str]:
    """A package's metadata and files for a person."""
    fields = metadata_fields(listing.metadata, show_keys=show_keys)
    for name in ("name", "setup_file", "file_name", "tool_version", "unencrypted_content_size", "description"):
        if fields[name] is not None:
            yield f"{name}: {fields[name]}"
    for section in ("msi", "encryption"):
        for name, value in (fields[section] or {}).items():
            yield f"{section}.{name}: {value}"
    yield f"files: {len(listing.files)}"
    for file in listing.files:
        time = file.modified.isoformat(sep=" ") if file.modified else "(no valid time)"
        yield f"  {file.size:>12}  {time:<19}  {file.name}"


def diff_fields(diff: PackageDiff) -> dict[str, Any]:
    """A comparison as JSON fields."""
    return {
        "same": diff.is_same,
        "added": list(diff.added),
        "removed": list(diff.removed),
        "changed": list(diff.changed),
        "unchanged": diff.unchanged,
        "metadata": {name: {"first": first, "second": second} for name, (first, second) in diff.metadata.items()},
    }


def diff_lines(diff: PackageDiff) -> Iterator[str]:
    """A comparison for a person."""
    for mark, names in (("-", diff.removed), ("+", diff.added), ("~", diff.changed)):
        for name in names:
            yield f"{mark} {name}"
    for field, (first, second) in diff.metadata.items():
        yield f"~ {field}: {first} -> {second}"
    yield f"{diff.unchanged} files are the same in both."


def _encryption_fields(encryption: EncryptionInfo, *, show_keys: bool) -> dict[str, str]:
    shown = {}
    for name in EncryptionInfo.model_fields:
        value = getattr(encryption, name)
        if name in _SECRETS and not show_keys:
            shown[name] = "(hidden; --show-keys shows it)"
        else:
            shown[name] = base64.b64encode(value).decode() if isinstance(value, bytes) else value
    return shown
