"""What is exported is what Microsoft's own models of Graph accept."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from control.catalog.definitions.to_graph import GraphVersion

pytest.importorskip("msgraph", reason="msgraph-sdk is not installed: pip install -r requirements-graph.lock")


def through_the_models(app: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The app as Graph's model, and what the model writes."""
    # Imported by name: where the SDK is absent, so are its types.
    reading = import_module("kiota_serialization_json.json_parse_node_factory")
    writing = import_module("kiota_serialization_json.json_serialization_writer")
    models = import_module("msgraph.generated.models.win32_lob_app")
    node = reading.JsonParseNodeFactory().get_root_parse_node("application/json", json.dumps(app).encode())
    model = node.get_object_value(models.Win32LobApp)
    writer = writing.JsonSerializationWriter()
    writer.write_object_value(None, model)
    return model, json.loads(writer.get_serialized_content())


def test_every_exported_app_is_a_win32_lob_app_with_nothing_unknown(
    real_definitions: list[Path], there_and_back: Callable[..., dict[str, Any]]
) -> None:
    apps = [there_and_back(path, version=GraphVersion.V1, create=True) for path in real_definitions]
    apps = [app for app in apps if "@odata.type" in app]
    assert len(apps) >= 14
    for app in apps:
        model, written = through_the_models(app)
        assert type(model).__name__ == "Win32LobApp"
        assert dict(model.additional_data) == {}, app["displayName"]
        assert [rule.additional_data for rule in model.rules or ()] == [{}] * len(app.get("rules", ()))
        assert dict(model.install_experience.additional_data) == {}
        assert {code.type.value for code in model.return_codes} <= {
            "failed",
            "success",
            "softReboot",
            "hardReboot",
            "retry",
        }
        # The SDK's writer drops flag lists such as applicableArchitectures on its own.
        assert app.keys() - written.keys() <= {"applicableArchitectures", "allowedArchitectures"}
        assert written["rules"] == app["rules"] if app.get("rules") else True
