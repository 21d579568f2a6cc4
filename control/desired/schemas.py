"""The published JSON schemas of the documents."""

from typing import Any, Final

from pydantic import BaseModel

from control.catalog.manifest_reader import manifest_schema
from control.desired.documents import AppFile, AssignmentDocument, FilterDocument, GroupDocument, RolloutDocument

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: What files may hold, by kind.
MODELS: Final[dict[str, type[BaseModel]]] = {
    "Filter": FilterDocument,
    "Group": GroupDocument,
    "App": AppFile,
    "Assignment": AssignmentDocument,
    "Rollout": RolloutDocument,
}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON schema of one kind of document.

    Raises:
        KeyError: There is no such kind.
    """
    schema = MODELS[kind].model_json_schema(by_alias=True)
    if kind == "App":
        manifest = manifest_schema()
        schema["$defs"] = {**schema.get("$defs", {}), **manifest.pop("$defs", {}), "Manifest": manifest}
        schema["properties"]["manifest"]["anyOf"] = [{"type": "string"}, {"$ref": "#/$defs/Manifest"}]
    return {"$schema": _DIALECT, **schema}
