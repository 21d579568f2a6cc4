"""The real definitions beside the project, and the way in and out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from control.catalog.definitions.files import load_draft, save_draft
from control.catalog.definitions.reader import read_definition
from control.catalog.definitions.to_graph import to_graph
from control.catalog.definitions.to_manifest import to_manifest

FIXTURES = Path(__file__).parents[5] / "shared" / "fixtures" / "win32lobapp"


@pytest.fixture
def real_definitions() -> list[Path]:
    if not FIXTURES.is_dir():
        pytest.skip(f"the real definitions are not at {FIXTURES}")
    return sorted(path for path in FIXTURES.rglob("*.json") if path.name != "template.App.json")


@pytest.fixture
def there_and_back(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Import a file, save it, load it again and export it."""

    def run(path: Path, **how: Any) -> dict[str, Any]:
        manifest = tmp_path / f"{path.stem}.yaml"
        save_draft(to_manifest(read_definition(path)), manifest, overwrite=True)
        return to_graph(*load_draft(manifest), **how)

    return run
