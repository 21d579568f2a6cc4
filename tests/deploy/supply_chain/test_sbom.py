import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.supply_chain.licences import licence_list, licence_of
from deploy.supply_chain.lock_file import LOCK, read_lock
from deploy.supply_chain.sbom import bill_of_materials

_SMALL = "celery==5.7.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


def _errors(text: str) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


def test_the_projects_bill_holds_to_the_schema_and_names_all_that_is_locked() -> None:
    text = bill_of_materials(LOCK)
    assert _errors(text) is None
    locked, _ = read_lock(LOCK)
    named = {(each["name"].lower().replace("_", "-"), each["version"]) for each in json.loads(text)["components"]}
    assert named == {(each.name, each.version) for each in locked}


def test_the_check_against_the_schema_can_fail(tmp_path: Path) -> None:
    (tmp_path / "small.lock").write_text(_SMALL, encoding="utf-8")
    bill = json.loads(bill_of_materials(tmp_path / "small.lock"))
    bill["components"][0]["type"] = "no such type"
    assert _errors(json.dumps(bill)) is not None


def test_the_same_lock_gives_the_same_bill_with_the_hashes_and_no_time(tmp_path: Path) -> None:
    (tmp_path / "small.lock").write_text(_SMALL, encoding="utf-8")
    first, second = (bill_of_materials(tmp_path / "small.lock") for _ in range(2))
    assert first == second
    assert "0" * 64 in first
    assert "timestamp" not in first
    assert "serialNumber" not in first


def test_licences_are_what_distributions_say() -> None:
    assert licence_of("celery") == "BSD-3-Clause"
    assert licence_of("no-such-distribution") == "not installed on this system"
    lines = licence_list(read_lock(LOCK)[0]).splitlines()
    assert lines == sorted(lines)
    assert all(len(line.split("\t")) == 3 for line in lines)
    unstated = [line for line in lines if line.endswith("\tnot stated")]
    assert len(unstated) < len(lines) / 20
