"""Documents in a folder of YAML files."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError, OutriderError
from control.catalog.manifest_reader import read_manifest
from control.desired.canonical import state_of
from control.desired.documents import (
    DIGEST_PATTERN,
    KINDS,
    AppDocument,
    AppFile,
    Document,
    FileDocument,
    key_of,
)
from control.desired.strict_yaml import dump_documents, read_documents
from storage.intunewin.blob import chunks
from storage.intunewin.reader import open_blob, read_metadata

#: A body of a request is no larger, so more could not be applied.
MAX_FILE_BYTES: Final = 1024 * 1024
MAX_FILES: Final = 1000

_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_DOCUMENT: Final[TypeAdapter[Any]] = TypeAdapter(FileDocument)


@dataclass(frozen=True)
class Desired:
    """What a folder says.

    Attributes:
        documents: All documents, in canonical form.
        packages: The file of each package that is named by its path, by digest.
    """

    documents: tuple[Document, ...]
    packages: Mapping[str, Path]


def read_folder(folder: Path) -> Desired:
    """All documents in the YAML files of a folder; manifests that its apps name are read with them.

    Raises:
        InputError: DESIRED_STATE_INVALID, with file and line; or a manifest or package is not good.
    """
    found = [(place, file, data) for file in _files(folder) for place, data in _documents(file)]
    named = {_beside(file, data["manifest"]) for _, file, data in found if isinstance(data.get("manifest"), str)}
    packages: dict[str, Path] = {}
    documents: dict[tuple[str, str], tuple[str, Document]] = {}
    for place, file, data in found:
        if file.resolve() in named and "kind" not in data:
            continue
        for document in _resolved(place, file, data, packages):
            key = key_of(document)
            if key in documents:
                detail = f"{' '.join(key)} is described twice, first at {documents[key][0]}"
                raise _invalid(place, detail)
            documents[key] = place, document
    return Desired(tuple(document for _, document in documents.values()), packages)


def write_folder(folder: Path, documents: Sequence[Mapping[str, Any]], *, overwrite: bool) -> list[Path]:
    """Write documents as they came, a file for each kind that there is; the paths.

    Raises:
        InputError: EXPORT_EXISTS: a file is there already; PACKAGE_WRITE_FAILED: the folder cannot be written.
    """
    texts = {
        folder / f"{kind.lower()}s.yaml": dump_documents([dict(one) for one in documents if one["kind"] == kind])
        for kind in KINDS
        if any(one["kind"] == kind for one in documents)
    }
    known = [folder / f"{kind.lower()}s.yaml" for kind in KINDS]
    there = [path for path in known if path.exists()]
    if there and not overwrite:
        raise InputError(ErrorCode.EXPORT_EXISTS, place=str(there[0]))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            part = path.with_suffix(".part")
            part.write_text(text, encoding="utf-8", newline="\n")
            part.replace(path)
        for path in set(there) - set(texts):
            path.unlink()
    except OSError as error:
        raise InputError(ErrorCode.PACKAGE_WRITE_FAILED, place=str(folder), detail=str(error.strerror)) from error
    return list(texts)


def _files(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    except OSError as error:
        raise _invalid(str(folder), f"cannot be read: {error.strerror}") from error
    if len(files) > MAX_FILES:
        raise _invalid(str(folder), f"expected at most {MAX_FILES} files, found {len(files)}")
    return files


def _documents(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise _invalid(str(file), f"is larger than {MAX_FILE_BYTES} bytes")
        for line, data in read_documents(file.read_text(encoding="utf-8-sig")):
            place = f"{file}:{line}"
            if not isinstance(data, dict):
                raise _invalid(place, f"expected fields such as `kind: Group`, found {type(data).__name__}")
            yield place, data
    except OSError as error:
        raise _invalid(str(file), f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid(str(file), f"is not YAML: {' '.join(str(error).split())}") from error


def _resolved(place: str, file: Path, data: dict[str, Any], packages: dict[str, Path]) -> Iterator[Document]:
    kind = data.get("kind")
    if kind not in KINDS:
        raise _invalid(place, f"expected `kind:` with one of {', '.join(KINDS)}; found {kind or 'nothing'}")
    try:
        document = _DOCUMENT.validate_python(data)
    except ValidationError as error:
        raise _invalid(place, _problems(error)) from error
    try:
        if isinstance(document, AppFile):
            document = _app(document, file, packages)
        yield from state_of([document]).values()
    except OutriderError as error:
        where = f"{place}: {error.place}" if error.place else place
        raise InputError(error.code, place=where, detail=error.detail) from error


def _app(document: AppFile, file: Path, packages: dict[str, Path]) -> AppDocument:
    manifest: Any = document.manifest
    if isinstance(manifest, str):
        described = read_manifest(_beside(file, manifest))
        manifest = described.model_dump(mode="json", by_alias=True, exclude_unset=True)
    digest = document.package
    if not re.fullmatch(DIGEST_PATTERN, digest):
        path = _beside(file, digest)
        digest = _digest(path)
        packages[digest] = path
    return AppDocument(kind="App", manifest=manifest, package=digest, pin=document.pin)


def _beside(file: Path, name: str) -> Path:
    return (file.parent / name).resolve()


def _digest(path: Path) -> str:
    """The address that a package will have, as the control plane makes it."""
    read_metadata(path)
    digest = hashlib.sha256()
    with open_blob(path) as blob:
        for chunk in chunks(blob.stream):
            digest.update(chunk)
    return digest.hexdigest()


def _problems(error: ValidationError) -> str:
    parts = []
    for entry in error.errors(include_url=False):
        where = ".".join(str(part) for part in entry["loc"] if part not in KINDS)
        found = entry["input"]
        shown = f", found {found!r}" if isinstance(found, str | int | float) else ""
        parts.append(f"{where}: {entry['msg']}{shown}" if where else f"{entry['msg']}{shown}")
    return "; ".join(parts)


def _invalid(place: str, detail: str) -> DocumentError:
    return DocumentError(ErrorCode.DESIRED_STATE_INVALID, place=place, detail=detail)
