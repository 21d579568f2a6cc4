import pytest

from contract.rules import Operator, RegistryOperation, RegistryRule
from worker.judgement.machine import Machine
from worker.judgement.registry_rule import (
    RegistryFacts,
    check_registry,
    judge_registry,
    judge_registry_facts,
    registry_key,
)
from worker.judgement.verdict import CannotTellError, RuleInvalidError
from worker.platform.memory import Contents
from worker.platform.port import Hive, RegistryKey, RegistryValue, View

ABSENT = RegistryFacts(has_key=False, value=None)
KEY_ALONE = RegistryFacts(has_key=True, value=None)


def _rule(
    operation: RegistryOperation,
    how: Operator = Operator.NOT_CONFIGURED,
    value: str | None = None,
    *,
    name: str = "Level",
) -> RegistryRule:
    key = r"HKLM\SOFTWARE\Editor"
    return RegistryRule(key_path=key, value_name=name, operation_type=operation, operator=how, comparison_value=value)


def _holds(rule: RegistryRule, value: RegistryValue | None) -> bool:
    return judge_registry_facts(rule, RegistryFacts(has_key=True, value=value)).holds


@pytest.mark.parametrize(
    ("written", "hive", "path"),
    [
        (r"HKLM\SOFTWARE\Editor", Hive.LOCAL_MACHINE, r"SOFTWARE\Editor"),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Editor" + "\\", Hive.LOCAL_MACHINE, r"SOFTWARE\Editor"),
        (r"hkcu\Software", Hive.CURRENT_USER, "Software"),
        ("HKEY_CLASSES_ROOT", Hive.CLASSES_ROOT, ""),
        (r"HKU\.DEFAULT", Hive.USERS, ".DEFAULT"),
        (r"HKCC\System", Hive.CURRENT_CONFIG, "System"),
    ],
)
def test_a_root_is_written_short_or_long_in_any_case(written: str, hive: Hive, path: str) -> None:
    assert registry_key(RegistryRule(key_path=written)) == RegistryKey(hive, path, View.NATIVE)


@pytest.mark.behaviour("2.8 registry view")
def test_a_rule_chooses_its_view_and_takes_the_64_bit_one_by_default(made_up: Machine, contents: Contents) -> None:
    contents.registry[RegistryKey(Hive.LOCAL_MACHINE, "SOFTWARE", View.BITS_32)] = {"Level": 1}
    native = RegistryRule(key_path=r"HKLM\SOFTWARE", value_name="Level")
    other = native.model_copy(update={"check32_bit_on64_system": True})
    assert not judge_registry(native, made_up.platform).holds
    assert judge_registry(other, made_up.platform).holds
    assert "32-bit view" in judge_registry(other, made_up.platform).words


@pytest.mark.parametrize("written", ["SOFTWARE\\Editor", "HKLM:\\SOFTWARE", "/opt", "\\"])
def test_a_key_without_a_root_makes_no_sense(written: str) -> None:
    with pytest.raises(RuleInvalidError, match="expected HKLM"):
        check_registry(RegistryRule(key_path=written))


@pytest.mark.behaviour("2.8 registry exists", "2.8 registry doesNotExist", "B-32")
@pytest.mark.parametrize(
    ("name", "facts", "is_there"),
    [
        ("Level", RegistryFacts(has_key=True, value=0), True),
        ("Level", RegistryFacts(has_key=True, value=""), True),
        ("Level", KEY_ALONE, False),
        ("Level", ABSENT, False),
        ("", KEY_ALONE, True),
        ("", ABSENT, False),
    ],
)
def test_exists_and_does_not_exist_look_at_the_value_or_at_the_key_itself(
    name: str, facts: RegistryFacts, is_there: bool
) -> None:
    assert judge_registry_facts(_rule(RegistryOperation.EXISTS, name=name), facts).holds is is_there
    assert judge_registry_facts(_rule(RegistryOperation.DOES_NOT_EXIST, name=name), facts).holds is not is_there


@pytest.mark.behaviour("2.8 registry string")
def test_strings_are_compared_regardless_of_case_and_numbers_as_they_are_written() -> None:
    assert _holds(_rule(RegistryOperation.STRING, Operator.EQUAL, "enabled"), "ENABLED")
    assert not _holds(_rule(RegistryOperation.STRING, Operator.NOT_EQUAL, "enabled"), "Enabled")
    assert _holds(_rule(RegistryOperation.STRING, Operator.EQUAL, "7"), 7)


@pytest.mark.behaviour("2.8 registry integer")
@pytest.mark.parametrize("value", [10, "10", " 10 "])
def test_integers_are_compared_as_numbers_in_texts_too(value: RegistryValue) -> None:
    assert _holds(_rule(RegistryOperation.INTEGER, Operator.GREATER_THAN, "9"), value)
    assert _holds(_rule(RegistryOperation.INTEGER, Operator.EQUAL, "10"), value)
    assert not _holds(_rule(RegistryOperation.INTEGER, Operator.LESS_THAN, "9"), value)


@pytest.mark.behaviour("2.8 registry version")
def test_versions_are_compared_part_by_part() -> None:
    """The very line of the original's log: `LessThan: actualVersion: 10.0.1, detectionVersion: 9.0` is a no."""
    assert not _holds(_rule(RegistryOperation.VERSION, Operator.LESS_THAN, "9.0"), "10.0.1")
    assert _holds(_rule(RegistryOperation.VERSION, Operator.EQUAL, "10.0.1.0"), "10.0.1")
    assert _holds(_rule(RegistryOperation.VERSION, Operator.GREATER_THAN_OR_EQUAL, "10"), 11)


def test_what_is_not_there_compares_with_nothing() -> None:
    verdict = judge_registry_facts(_rule(RegistryOperation.INTEGER, Operator.NOT_EQUAL, "9"), KEY_ALONE)
    assert not verdict.holds
    assert verdict.words == r"HKLM\SOFTWARE\Editor Level: not there, expected integer notEqual 9"


def test_a_comparison_without_a_name_looks_at_the_unnamed_value(made_up: Machine, contents: Contents) -> None:
    contents.registry[RegistryKey(Hive.LOCAL_MACHINE, r"SOFTWARE\Editor")] = {"": "1.2"}
    rule = _rule(RegistryOperation.VERSION, Operator.EQUAL, "1.2", name="")
    assert judge_registry(rule, made_up.platform).holds


@pytest.mark.parametrize("value", [("a", "b"), b"\x01", "ten"])
def test_a_value_that_cannot_be_compared_is_no_answer(value: RegistryValue) -> None:
    with pytest.raises(CannotTellError, match="Level"):
        _holds(_rule(RegistryOperation.INTEGER, Operator.EQUAL, "9"), value)


def test_a_key_that_cannot_be_read_is_no_answer(made_up: Machine, contents: Contents) -> None:
    contents.broken = PermissionError(13, "Access is denied")
    with pytest.raises(CannotTellError, match="Access is denied"):
        judge_registry(_rule(RegistryOperation.EXISTS), made_up.platform)


@pytest.mark.parametrize(
    ("operation", "how", "value"),
    [
        (RegistryOperation.INTEGER, Operator.EQUAL, "ten"),
        (RegistryOperation.VERSION, Operator.EQUAL, None),
        (RegistryOperation.STRING, Operator.NOT_CONFIGURED, "x"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(
    operation: RegistryOperation, how: Operator, value: str | None
) -> None:
    with pytest.raises(RuleInvalidError):
        check_registry(_rule(operation, how, value))
