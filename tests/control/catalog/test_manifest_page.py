"""docs/manifest.md says what the model says: every field, in its section, with its default."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from control.catalog.manifest_reader import manifest_schema, validate_manifest

PAGE = (Path(__file__).parents[3] / "docs" / "manifest.md").read_text(encoding="utf-8")
SCHEMA = manifest_schema()
SECTIONS: dict[str, dict[str, Any]] = {
    "Fields": SCHEMA,
    "`installExperience`": SCHEMA["$defs"]["InstallExperienceEntry"],
    "`restartSettings`": SCHEMA["$defs"]["RestartSettingsEntry"],
    "An entry of `returnCodes`": SCHEMA["$defs"]["ReturnCodeEntry"],
    "An entry of `retry`": SCHEMA["$defs"]["RetryEntry"],
    "An entry of `secrets`": SCHEMA["$defs"]["SecretEntry"],
    "An entry of `dependencies`": SCHEMA["$defs"]["DependencyEntry"],
    "An entry of `supersedence`": SCHEMA["$defs"]["SupersedenceEntry"],
    "An entry of `assignments`": SCHEMA["$defs"]["AssignmentEntry"],
    "A rule of type `file`": SCHEMA["$defs"]["FileRule"],
    "A rule of type `registry`": SCHEMA["$defs"]["RegistryRule"],
    "A rule of type `productCode`": SCHEMA["$defs"]["ProductCodeRule"],
    "A rule of type `script`": SCHEMA["$defs"]["ScriptRule"],
    "A rule of type `package`": SCHEMA["$defs"]["PackageRule"],
    "A rule of type `process`": SCHEMA["$defs"]["ProcessRule"],
}


def rows(heading: str) -> dict[str, str]:
    """The fields of a section with what stands in the column of defaults."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, flags=re.MULTILINE))


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_field_is_listed_and_no_other(heading: str) -> None:
    assert rows(heading).keys() == SECTIONS[heading]["properties"].keys()


@pytest.mark.parametrize("heading", SECTIONS)
def test_what_is_required_is_said_to_be(heading: str) -> None:
    required = {name for name, default in rows(heading).items() if default == "required"}
    assert required == set(SECTIONS[heading].get("required", []))


@pytest.mark.parametrize("heading", SECTIONS)
def test_defaults_are_the_models(heading: str) -> None:
    for name, said in rows(heading).items():
        default = SECTIONS[heading]["properties"][name].get("default")
        if said.startswith("`"):
            assert yaml.safe_load(said.strip("`")) == default, name
        else:
            assert said in {"required", "see below"} or not default, name


def test_the_example_is_a_manifest() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert example is not None
    assert validate_manifest(yaml.safe_load(example[1])).name == "Editor"
