import pytest

from contract.rules import Operator, ProductCodeRule
from worker.judgement.machine import Machine
from worker.judgement.product_rule import check_product, judge_product, judge_product_version, product_code
from worker.judgement.verdict import CannotTellError, RuleInvalidError
from worker.platform.memory import Contents

CODE = "{23170F69-40C1-2702-2301-000001000000}"


def _rule(how: Operator = Operator.NOT_CONFIGURED, version: str | None = None, code: str = CODE) -> ProductCodeRule:
    return ProductCodeRule(product_code=code, product_version_operator=how, product_version=version)


@pytest.mark.parametrize("written", [CODE, CODE.lower(), CODE.strip("{}"), f" {CODE} "])
def test_a_product_code_is_a_guid_in_any_case_with_or_without_braces(written: str) -> None:
    assert product_code(_rule(code=written)) == CODE


@pytest.mark.parametrize("written", ["editor", CODE[:-2] + "}", "{" * 38, CODE + CODE])
def test_what_is_no_guid_makes_no_sense(written: str) -> None:
    with pytest.raises(RuleInvalidError, match="GUID"):
        check_product(_rule(code=written))


@pytest.mark.behaviour("2.8 MSI product code", "B-32")
def test_without_an_operator_any_version_will_do() -> None:
    assert judge_product_version(_rule(), "1.0").holds
    assert not judge_product_version(_rule(), None).holds


@pytest.mark.behaviour("2.8 MSI version")
@pytest.mark.parametrize(
    ("how", "version", "expected"),
    [
        (Operator.EQUAL, "23.1", True),
        (Operator.GREATER_THAN_OR_EQUAL, "9.20", True),
        (Operator.LESS_THAN, "9.20", False),
        (Operator.NOT_EQUAL, "23.01.00.0", False),
    ],
)
def test_versions_are_compared_as_numbers(how: Operator, version: str, expected: bool) -> None:
    assert judge_product_version(_rule(how, version), "23.01.00.0").holds is expected


def test_what_is_not_installed_has_no_version_to_compare() -> None:
    verdict = judge_product_version(_rule(Operator.LESS_THAN, "9"), None)
    assert not verdict.holds
    assert verdict.words == f"product {CODE}: not there, expected version lessThan 9"


def test_the_installer_is_asked_for_the_code_as_it_writes_it(made_up: Machine, contents: Contents) -> None:
    contents.products[CODE] = "23.01"
    assert judge_product(_rule(Operator.GREATER_THAN, "23", CODE.lower()), made_up.platform).holds


def test_an_installer_that_does_not_tell_is_no_answer(made_up: Machine, contents: Contents) -> None:
    contents.broken = OSError(1601, "The Windows Installer service could not be accessed")
    with pytest.raises(CannotTellError, match="could not be accessed"):
        judge_product(_rule(), made_up.platform)


def test_an_installed_version_that_is_none_is_no_answer() -> None:
    with pytest.raises(CannotTellError, match="'beta'"):
        judge_product_version(_rule(Operator.EQUAL, "1"), "beta")


def test_a_comparison_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(RuleInvalidError):
        check_product(_rule(Operator.EQUAL, "new"))
