"""Package rules: what dpkg or rpm has installed."""

import contextlib
from collections.abc import Sequence
from typing import Any

from contract.rules import PackageManager, PackageOperation, PackageRule
from worker.judgement.compare import NotOfTypeError, Reader, compare, expectation
from worker.judgement.package_versions import as_debian_version, as_rpm_version, as_rpm_version_of_any_release
from worker.judgement.verdict import CannotTellError, Verdict, absent, presence
from worker.platform.port import PackageFacts, Platform

_ORDERS: dict[PackageManager, Reader] = {
    PackageManager.DPKG: as_debian_version,
    PackageManager.RPM: as_rpm_version,
}


def check_package(rule: PackageRule) -> None:
    """Make sure that the rule makes sense.

    Raises:
        RuleInvalidError: It does not.
    """
    if rule.operation_type is PackageOperation.VERSION:
        expectation(rule.operator, rule.comparison_value, _ORDERS.get(rule.manager, _as_version_of_any))


def judge_package(rule: PackageRule, platform: Platform) -> Verdict:
    """Look at the machine and answer the rule.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: The package manager does not tell.
    """
    try:
        installed = platform.packages(rule.package_name, rule.manager)
    except OSError as error:
        raise CannotTellError(f"package {rule.package_name}: {error}") from error
    return judge_package_facts(rule, installed)


def judge_package_facts(rule: PackageRule, installed: Sequence[PackageFacts]) -> Verdict:
    """Answer the rule from what is installed under the name; of several versions the newest counts; a pure function.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: The installed version is none.
    """
    subject = f"package {rule.package_name}"
    if rule.operation_type is not PackageOperation.VERSION:
        wanted = rule.operation_type is PackageOperation.EXISTS
        return presence(subject, is_there=bool(installed), wanted=wanted)
    if not installed:
        return absent(subject, f"version {rule.operator} {rule.comparison_value}")
    newest = _newest(installed, subject)
    read = _order(newest.manager, rule.comparison_value or "")
    return compare(
        subject, newest.version, rule.operator, rule.comparison_value, read, what=f"{newest.manager} version"
    )


def _newest(installed: Sequence[PackageFacts], subject: str) -> PackageFacts:
    manager = installed[0].manager
    try:
        return max(
            (facts for facts in installed if facts.manager is manager),
            key=lambda facts: _ORDERS[manager](facts.version),
        )
    except NotOfTypeError as error:
        raise CannotTellError(f"{subject}: found {error}") from error


def _as_version_of_any(text: str) -> Any:
    """Whose order counts is known only where the rule meets a device; one of them has to know the version."""
    for read in _ORDERS.values():
        with contextlib.suppress(NotOfTypeError):
            return read(text)
    raise NotOfTypeError(f"{text!r}, which is no version of a package")


def _order(manager: PackageManager, expected: str) -> Reader:
    if manager is PackageManager.RPM and "-" not in expected:
        return as_rpm_version_of_any_release
    return _ORDERS[manager]
