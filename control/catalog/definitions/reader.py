"""Read an app definition from a file or a folder of files, whatever tool wrote them."""

import json
from functools import reduce
from pathlib import Path
from typing import Any

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.catalog.definitions.bundle import AppBundle, Json
from control.catalog.definitions.canonical import canonical, odata_type
from control.catalog.definitions.failures import invalid
from control.catalog.definitions.graph_fields import APP_MARKS, APP_TYPE
from control.catalog.definitions.packagefactory import from_packagefactory, is_packagefactory
from control.catalog.definitions.rule_forms import merged_rules

#: Definitions carry icons; real ones reach half a megabyte.
MAX_DEFINITION_BYTES = 16 << 20

#: Properties of an app that are relations of their own in Graph.
_RELATIONS = ("assignments", "relationships", "categories")
_RELATION_TYPES = {"mobileAppDependency", "mobileAppSupersedence"}


def read_definition(path: Path) -> AppBundle:
    """The definition in a JSON file, or in all JSON files of a folder.

    Known are Graph's win32LobApp (a POST body, a GET answer, a collection of one), its assignments, relationships and
    categories, and packagefactory's App.json.

    Raises:
        InputError: A file cannot be read.
        DocumentError: DEFINITION_INVALID where a file is no such definition; the place is named.
    """
    if not path.is_dir():
        return _read_file(path)
    files = sorted(path.glob("*.json"))
    if not files:
        raise invalid("there is no JSON file in the folder", str(path))
    return reduce(AppBundle.joined, map(_read_file, files))


def parse_definition(text: str, *, place: str, folder: Path | None = None) -> AppBundle:
    """The definition in a JSON text; scripts it names are looked for in the folder.

    Raises:
        DocumentError: DEFINITION_INVALID where the text is no definition.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise invalid(f"not JSON: {error.msg}", f"{place}: line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise invalid("nested too deeply", place) from error
    try:
        if is_packagefactory(document):
            return from_packagefactory(document, folder)
        return _from_graph(canonical(document))
    except InputError as error:
        place = f"{place}: {error.place}" if error.place else place
        raise invalid(error.detail, place) from error


def _read_file(path: Path) -> AppBundle:
    try:
        if path.stat().st_size > MAX_DEFINITION_BYTES:
            raise invalid(f"larger than {MAX_DEFINITION_BYTES} bytes", str(path))
        data = path.read_bytes()
    except OSError as error:
        detail = error.strerror or str(error)
        raise InputError(ErrorCode.DEFINITION_INVALID, detail=f"cannot be read: {detail}", place=str(path)) from error
    return parse_definition(_text(data, path), place=str(path), folder=path.parent)


def _text(data: bytes, path: Path) -> str:
    # PowerShell writes UTF-16 with a mark by default, editors UTF-8 with one.
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise invalid(f"not {encoding} text: byte {error.start}", str(path)) from error


def _from_graph(document: Any) -> AppBundle:
    if isinstance(document, list):
        return _from_list(document, "")
    if not isinstance(document, dict):
        raise invalid(f"found {type(document).__name__}, expected an object")
    if isinstance(document.get("value"), list) and "@odata.type" not in document:
        return _from_list(document["value"], "value")
    kind = odata_type(document)
    if kind == "win32LobApp" or (not kind and APP_MARKS & document.keys()):
        return _app(document)
    if kind == "mobileAppCategory":
        return AppBundle(categories=(document,))
    return _from_wrapper(document, kind)


def _from_wrapper(document: Json, kind: str) -> AppBundle:
    if isinstance(document.get("app"), dict):
        rest = {key: document[key] for key in document.keys() & set(_RELATIONS)}
        return _app({**rest, **document["app"]})
    for name in ("mobileAppAssignments", *_RELATIONS):
        if isinstance(document.get(name), list):
            return _from_list(document[name], name)
    if set(document) == {"version"} and isinstance(document["version"], str):
        return AppBundle(app=None, beyond={"version": document["version"]})
    found = f"a {kind}" if kind else f"fields {', '.join(sorted(document)[:5])}"
    raise invalid(f"found {found}, expected a win32LobApp, its assignments, relations or categories, or an App.json")


def _from_list(documents: list[Any], place: str) -> AppBundle:
    bundles = []
    for index, document in enumerate(documents):
        if not isinstance(document, dict):
            raise invalid(f"found {document!r:.60}, expected an object", f"{place}[{index}]")
        bundles.append(_from_item(document, f"{place}[{index}]"))
    if sum(bundle.app is not None for bundle in bundles) > 1:
        raise invalid("the list holds several apps, expected one; import each from a file of its own", place)
    return reduce(AppBundle.joined, bundles, AppBundle())


def _from_item(document: Json, place: str) -> AppBundle:
    kind = odata_type(document)
    if kind == "win32LobApp":
        return _app(document)
    if "intent" in document and "target" in document:
        return AppBundle(assignments=(document,))
    if kind in _RELATION_TYPES:
        return AppBundle(relationships=(document,))
    if kind == "mobileAppCategory":
        return AppBundle(categories=(document,))
    if {"app", "autoInstall"} <= document.keys():
        return AppBundle(relationships=(_named(document),))
    raise invalid("expected an app, an assignment, a relationship or a category", place)


def _named(document: Json) -> Json:
    """A dependency given by the app's name, as some tools keep them."""
    return {
        "@odata.type": "#microsoft.graph.mobileAppDependency",
        "targetDisplayName": document["app"],
        "dependencyType": "autoInstall" if document["autoInstall"] else "detect",
    }


def _app(document: Json) -> AppBundle:
    rules, notes = merged_rules(document)
    left = {"rules", "detectionRules", "requirementRules", *_RELATIONS}
    app = {"@odata.type": APP_TYPE} | {key: value for key, value in document.items() if key not in left}
    if rules:
        app["rules"] = rules
    return AppBundle(
        app=app,
        assignments=tuple(document.get("assignments") or ()),
        relationships=tuple(document.get("relationships") or ()),
        categories=tuple(document.get("categories") or ()),
        notes=tuple(notes),
    )
