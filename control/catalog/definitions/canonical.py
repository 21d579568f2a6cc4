"""Bring a Graph document into one spelling: booleans and numbers by type, enumerations in Graph's own case."""

from typing import Any

from control.catalog.definitions.failures import invalid
from control.catalog.definitions.graph_fields import (
    BOOLEANS,
    INTEGERS,
    LISTS,
    OBJECT_LISTS,
    OBJECTS,
    RELEASE_FLAG_PREFIX,
    RETURN_CODE_TYPES,
    TEXTS,
    VALUES,
)

_TYPE_PREFIX = "#microsoft.graph."
_TEXTS = TEXTS | LISTS | VALUES.keys() | {"@odata.type"}
_TRUTH = {"true": True, "false": False}

#: What PowerShell's ConvertTo-Json leaves of an object beyond its depth.
_CUT_SHORT = ("@{", "System.Collections.Hashtable", "System.Object[]", "System.Collections.ArrayList")


def canonical(value: Any, place: str = "") -> Any:
    """The document in canonical spelling; fields without a value are left out, unknown ones stay.

    Raises:
        DocumentError: DEFINITION_INVALID where the document was cut short by PowerShell or a value has a wrong type.
    """
    match value:
        case dict():
            fields = {key: _field(key, found, _inside(place, key)) for key, found in value.items()}
            return {key: found for key, found in fields.items() if found is not None}
        case list():
            return [canonical(item, f"{place}[{index}]") for index, item in enumerate(value)]
        case str():
            _refuse_cut_short(value, place)
    return value


def odata_type(document: dict[str, Any]) -> str:
    """The document's type without prefix, such as `win32LobApp`; empty where it states none."""
    stated = document.get("@odata.type")
    return stated.rpartition(".")[2].lstrip("#") if isinstance(stated, str) else ""


def _field(key: str, value: Any, place: str) -> Any:
    if value is None:
        return None
    if key == "@odata.type" and isinstance(value, str):
        return _TYPE_PREFIX + value.rpartition(".")[2].lstrip("#")
    if key in BOOLEANS or _is_release_flag(key, place):
        return _boolean(value, place)
    if key in INTEGERS:
        return _integer(value, place)
    if isinstance(value, str):
        _refuse_cut_short(value, place)
    if key in TEXTS and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    _check_kind(key, value, place)
    return _text(key, value, place) if isinstance(value, str) else canonical(value, place)


def _check_kind(key: str, value: Any, place: str) -> None:
    if key in _TEXTS and not isinstance(value, str):
        raise invalid(f"found {type(value).__name__}, expected text", place)
    if key in OBJECTS and not isinstance(value, dict):
        raise invalid(f"found {type(value).__name__}, expected an object", place)
    if key in OBJECT_LISTS:
        if not isinstance(value, list):
            raise invalid(f"found {type(value).__name__}, expected a list", place)
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise invalid(f"found {item!r:.60}, expected an object", f"{place}[{index}]")


def _text(key: str, value: str, place: str) -> str:
    if key in LISTS:
        return ",".join(part.strip().lower() for part in value.split(",") if part.strip())
    known = RETURN_CODE_TYPES if key == "type" and ".returnCodes[" in f".{place}" else VALUES.get(key, ())
    return next((word for word in known if word.lower() == value.strip().lower()), value)


def _boolean(value: Any, place: str) -> bool:
    if isinstance(value, bool):
        return value
    truth = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
    if truth is None:
        raise invalid(f"found {value!r}, expected true or false", place)
    return truth


def _integer(value: Any, place: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return int(str(value).strip())
    except ValueError:
        raise invalid(f"found {value!r}, expected a whole number", place) from None


def _is_release_flag(key: str, place: str) -> bool:
    return key.startswith(RELEASE_FLAG_PREFIX) and place.endswith(f"minimumSupportedOperatingSystem.{key}")


def _refuse_cut_short(value: str, place: str) -> None:
    if value.startswith(_CUT_SHORT) and (value.endswith(("}", "]")) or value in _CUT_SHORT):
        detail = (
            f"an object was cut short by PowerShell: export again with `ConvertTo-Json -Depth 20`; found {value[:60]!r}"
        )
        raise invalid(detail, place)


def _inside(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
