"""Where an imported definition lies: the manifest, and beside it what the manifest has no word for."""

import json
from pathlib import Path
from typing import Any

import yaml

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from control.catalog.definitions.bundle import Json
from control.catalog.definitions.failures import invalid
from control.catalog.definitions.to_manifest import ManifestDraft
from control.catalog.manifest_reader import validate_manifest

_BESIDE_SUFFIX = ".graph.json"


def beside_path(manifest: Path) -> Path:
    """`app.graph.json` for `app.yaml`."""
    return manifest.with_name(manifest.name.removesuffix(manifest.suffix) + _BESIDE_SUFFIX)


def save_draft(draft: ManifestDraft, manifest: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Write the manifest and what is kept beside it.

    Returns:
        The files written.

    Raises:
        InputError: A file is already there and may not be replaced, or the folder refuses.
    """
    texts = {}
    if draft.fields:
        texts[manifest] = yaml.dump(draft.fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    if draft.beside:
        texts[beside_path(manifest)] = json.dumps(draft.beside, indent=2, ensure_ascii=False) + "\n"
    for path in texts:
        if path.exists() and not overwrite:
            raise InputError(ErrorCode.NAME_TAKEN, detail="--force replaces it", place=str(path))
    for path, text in texts.items():
        _write(path, text)
    return tuple(texts)


def load_draft(path: Path) -> tuple[Json, Json]:
    """The manifest's fields and what is kept beside it; either may be missing, not both.

    Raises:
        DocumentError: DEFINITION_INVALID where neither file is there or one cannot be understood.
    """
    beside = path if path.name.endswith(_BESIDE_SUFFIX) else beside_path(path)
    manifest = path.with_name(path.name.removesuffix(_BESIDE_SUFFIX) + ".yaml") if beside == path else path
    if not manifest.exists() and not beside.exists():
        raise invalid("there is no such file", str(path))
    return _stated(_load(manifest, yaml.safe_load), manifest), _load(beside, json.loads)


def _stated(fields: Json, path: Path) -> Json:
    """The manifest's fields in camel case; an unfinished draft is taken as it is."""
    try:
        return validate_manifest(fields, place=str(path)).model_dump(mode="json", by_alias=True, exclude_unset=True)
    except DocumentError:
        if beside_path(path).exists() or not fields:
            return fields
        raise


def save_json(document: Json, path: Path) -> None:
    """Write one JSON document.

    Raises:
        InputError: The folder refuses.
    """
    _write(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        detail = f"cannot be written: {error.strerror}"
        raise InputError(ErrorCode.DEFINITION_INVALID, detail=detail, place=str(path)) from error


def _load(path: Path, parse: Any) -> Json:
    if not path.exists():
        return {}
    try:
        found = parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise invalid(f"cannot be read: {' '.join(str(error).split())}", str(path)) from error
    if not isinstance(found, dict):
        raise invalid(f"found {type(found).__name__}, expected fields", str(path))
    return found


class _Dumper(yaml.SafeDumper):
    """Scripts as blocks that people can read."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
