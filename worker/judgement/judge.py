"""One rule, of whatever type: whether it makes sense, and its answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.rules import FileRule, PackageRule, ProcessRule, ProductCodeRule, RegistryRule, Rule, ScriptRule
from worker.judgement.file_rule import check_file, judge_file
from worker.judgement.machine import Machine
from worker.judgement.package_rule import check_package, judge_package
from worker.judgement.process_rule import judge_process
from worker.judgement.product_rule import check_product, judge_product
from worker.judgement.registry_rule import check_registry, judge_registry
from worker.judgement.script_rule import check_requirement, judge_detection, judge_requirement
from worker.judgement.verdict import CannotTellError, RuleInvalidError, Verdict


class Use(Enum):
    """What a rule is for.

    Attributes:
        words: How a person calls such a rule.
        invalid: The error of such a rule that makes no sense.
    """

    DETECTION = ("detection rule", ErrorCode.DETECTION_RULE_INVALID)
    REQUIREMENT = ("requirement rule", ErrorCode.RULE_EVALUATION_FAILED)

    def __init__(self, words: str, invalid: ErrorCode) -> None:
        self.words = words
        self.invalid = invalid


def check_all(rules: Sequence[Rule], use: Use) -> None:
    """Make sure that every rule makes sense.

    All are looked at before any is evaluated: a broken rule could hide behind one that does not hold, and let an app
    be installed that can never be detected.

    Raises:
        PhaseError: DETECTION_RULE_INVALID, or RULE_EVALUATION_FAILED for a requirement.
    """
    for number, rule in enumerate(rules, 1):
        check(rule, use, number)


def check(rule: Rule, use: Use, number: int) -> None:
    """Make sure that the rule makes sense; `number` is its place in its list, from 1.

    Raises:
        PhaseError: DETECTION_RULE_INVALID, or RULE_EVALUATION_FAILED for a requirement.
    """
    with _as_phase_errors(rule, use, number):
        match rule:
            case FileRule():
                check_file(rule)
            case RegistryRule():
                check_registry(rule)
            case ProductCodeRule():
                check_product(rule)
            case PackageRule():
                check_package(rule)
            case ScriptRule() if use is Use.REQUIREMENT:
                check_requirement(rule)
            case _:
                pass


def evaluate(rule: Rule, use: Use, number: int, machine: Machine) -> Verdict:
    """The rule's answer on this machine; `number` is its place in its list, from 1.

    Raises:
        PhaseError: DETECTION_RULE_INVALID or RULE_EVALUATION_FAILED: there is none; it never counts as a no
            (behaviour B-36).
    """
    with _as_phase_errors(rule, use, number):
        if isinstance(rule, ScriptRule):
            result = machine.run_script(rule)
            return judge_detection(result) if use is Use.DETECTION else judge_requirement(rule, result)
        return _read(rule, machine)


def place(rule: Rule, use: Use, number: int) -> str:
    """Which rule it is, for people."""
    return f"{use.words} {number} ({rule.type})"


def _read(rule: FileRule | RegistryRule | ProductCodeRule | PackageRule | ProcessRule, machine: Machine) -> Verdict:
    match rule:
        case FileRule():
            return judge_file(rule, machine.platform)
        case RegistryRule():
            return judge_registry(rule, machine.platform)
        case ProductCodeRule():
            return judge_product(rule, machine.platform)
        case PackageRule():
            return judge_package(rule, machine.platform)
        case ProcessRule():
            return judge_process(rule, machine.platform)


@contextmanager
def _as_phase_errors(rule: Rule, use: Use, number: int) -> Iterator[None]:
    try:
        yield
    except RuleInvalidError as error:
        raise PhaseError(use.invalid, detail=str(error), place=place(rule, use, number)) from error
    except CannotTellError as error:
        code = ErrorCode.RULE_EVALUATION_FAILED
        raise PhaseError(code, detail=str(error), place=place(rule, use, number)) from error
