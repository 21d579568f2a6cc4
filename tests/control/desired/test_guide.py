"""The example of docs/operating.md is applied as it stands there."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from control.desired.canonical import state_of
from control.desired.files import read_folder
from control.desired.plan import plan_changes
from tests.control.desired.applying import apply, there
from tests.control.plane import Plane, SignedDevice, manifest_data

PAGE = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")


@pytest.fixture
def fleet(plane: Plane, tmp_path: Path) -> Path:
    """The folder of the example."""
    section = PAGE.partition("\n## Desired state in files\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"```yaml\n(.*?)```", section, flags=re.DOTALL)
    (tmp_path / "berlin.yaml").write_text(example, encoding="utf-8")
    (tmp_path / "editor.manifest.yaml").write_text(yaml.safe_dump(manifest_data()), encoding="utf-8")
    shutil.copy(plane.package, tmp_path / "editor.intunewin")
    return tmp_path


def test_the_example_makes_what_it_says(plane: Plane, fleet: Path, enrolled: Callable[..., SignedDevice]) -> None:
    plane.services.packages.take(plane.package)
    enrolled()
    state = state_of(read_folder(fleet).documents)
    assert [" ".join(key) for key in state] == [
        "Filter strong",
        "Group berlin",
        "App Editor",
        "Assignment Editor on berlin",
    ]
    assert apply(plane, state) == 4
    assert plan_changes(there(plane), state, prune=True) == ()
