"""A pytest plugin that writes down which test carries which `behaviour` mark; no test is run.

Used as `python -m pytest --collect-only -p deploy.behaviour.collector`; the file's name comes from the environment.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

#: The variable that names the file to write.
OUTPUT_VARIABLE = "OUTRIDER_BEHAVIOUR_FILE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write a JSON list: each marked test with its rows, and what its other marks say of where it runs."""
    marked = [_entry(item) for item in items if item.get_closest_marker("behaviour")]
    Path(os.environ[OUTPUT_VARIABLE]).write_text(json.dumps(marked), encoding="utf-8")


def _entry(item: pytest.Item) -> dict[str, Any]:
    rows = [row for mark in item.iter_markers("behaviour") for row in mark.args]
    skips = [mark.args[0] for mark in item.iter_markers("skipif") if mark.args]
    return {
        "test": item.nodeid.partition("[")[0],
        "rows": rows,
        "skipped": item.get_closest_marker("skip") is not None or any(skips),
        "conditional": bool(skips),
        "windows": item.get_closest_marker("windows") is not None,
    }
