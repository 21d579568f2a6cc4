import pytest
from pydantic import ValidationError

from contract.rules import Operator, PackageManager, PackageOperation, PackageRule
from worker.judgement.machine import Machine
from worker.judgement.package_rule import check_package, judge_package, judge_package_facts
from worker.judgement.verdict import CannotTellError, RuleInvalidError
from worker.platform.memory import Contents
from worker.platform.port import PackageFacts

DPKG, RPM = PackageManager.DPKG, PackageManager.RPM


def _rule(
    operation: PackageOperation = PackageOperation.VERSION,
    how: Operator = Operator.NOT_CONFIGURED,
    value: str | None = None,
    manager: PackageManager = PackageManager.ANY,
) -> PackageRule:
    return PackageRule(
        package_name="editor", manager=manager, operation_type=operation, operator=how, comparison_value=value
    )


def _compared(how: Operator, value: str) -> PackageRule:
    return _rule(PackageOperation.VERSION, how, value)


def test_exists_and_does_not_exist_answer_both_ways() -> None:
    installed = [PackageFacts(DPKG, "1.0")]
    assert judge_package_facts(_rule(PackageOperation.EXISTS), installed).holds
    assert not judge_package_facts(_rule(PackageOperation.EXISTS), []).holds
    assert judge_package_facts(_rule(PackageOperation.DOES_NOT_EXIST), []).holds
    assert not judge_package_facts(_rule(PackageOperation.DOES_NOT_EXIST), installed).holds


def test_each_manager_has_its_own_order() -> None:
    """dpkg puts `1.0a` before `1.0.1`, and so does rpm; `1.0+git` is older than `1.0.1` for dpkg, newer for no one."""
    assert judge_package_facts(_compared(Operator.LESS_THAN, "1.0"), [PackageFacts(DPKG, "1.0~rc1-1")]).holds
    assert judge_package_facts(_compared(Operator.GREATER_THAN, "2.0"), [PackageFacts(DPKG, "1:1.0-1")]).holds
    assert judge_package_facts(_compared(Operator.LESS_THAN, "1.0-1"), [PackageFacts(RPM, "0:1.0~rc1-1")]).holds
    # dpkg: a version without a revision is the oldest of its revisions; rpm: it stands for all of them.
    assert not judge_package_facts(_compared(Operator.EQUAL, "1.0"), [PackageFacts(DPKG, "1.0-1")]).holds
    assert judge_package_facts(_compared(Operator.EQUAL, "1.0"), [PackageFacts(RPM, "0:1.0-1")]).holds


def test_of_several_installed_versions_the_newest_counts() -> None:
    kernels = [PackageFacts(RPM, "0:5.10-1"), PackageFacts(RPM, "0:5.9-7"), PackageFacts(RPM, "0:5.10-0")]
    verdict = judge_package_facts(_compared(Operator.EQUAL, "5.10-1"), kernels)
    assert verdict.holds
    assert verdict.words == "package editor: rpm version 0:5.10-1, expected equal 5.10-1"


def test_what_is_not_installed_has_no_version_to_compare() -> None:
    verdict = judge_package_facts(_compared(Operator.NOT_EQUAL, "9"), [])
    assert not verdict.holds
    assert verdict.words == "package editor: not there, expected version notEqual 9"


def test_a_rule_may_ask_one_manager_only(made_up: Machine, contents: Contents) -> None:
    contents.packages["editor"] = (PackageFacts(RPM, "0:1.0-1"),)
    assert judge_package(_rule(PackageOperation.EXISTS), made_up.platform).holds
    assert judge_package(_rule(PackageOperation.EXISTS, manager=RPM), made_up.platform).holds
    assert not judge_package(_rule(PackageOperation.EXISTS, manager=DPKG), made_up.platform).holds


def test_a_manager_that_does_not_tell_is_no_answer(made_up: Machine, contents: Contents) -> None:
    contents.broken = OSError("the database is locked")
    with pytest.raises(CannotTellError, match="locked"):
        judge_package(_rule(PackageOperation.EXISTS), made_up.platform)


def test_an_installed_version_that_is_none_is_no_answer() -> None:
    with pytest.raises(CannotTellError, match="no Debian version"):
        judge_package_facts(_compared(Operator.EQUAL, "1"), [PackageFacts(DPKG, "a b")])


@pytest.mark.parametrize(
    ("how", "value", "manager"),
    [
        (Operator.NOT_CONFIGURED, "1", PackageManager.ANY),
        (Operator.EQUAL, None, PackageManager.ANY),
        (Operator.EQUAL, "", PackageManager.ANY),
        (Operator.EQUAL, "one two", DPKG),
        (Operator.EQUAL, "a:1", RPM),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(how: Operator, value: str | None, manager: PackageManager) -> None:
    with pytest.raises(RuleInvalidError):
        check_package(_rule(PackageOperation.VERSION, how, value, manager))


@pytest.mark.parametrize("name", ["", "*", "--all", "a b", "a;b", "../x"])
def test_a_name_that_a_manager_would_take_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        PackageRule(package_name=name)
