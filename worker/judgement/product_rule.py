"""Product code rules: what Windows Installer has installed (behaviour B-32, 2.8)."""

import re

from contract.rules import Operator, ProductCodeRule
from worker.judgement.compare import as_version, compare, expectation
from worker.judgement.verdict import CannotTellError, RuleInvalidError, Verdict, absent, presence
from worker.platform.port import Platform

_HEX = "[0-9A-F]"
_GUID = re.compile(rf"\{{{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}\}}")


def product_code(rule: ProductCodeRule) -> str:
    """The rule's code as Windows Installer writes it: in braces and upper case.

    Raises:
        RuleInvalidError: It is no product code.
    """
    code = f"{{{rule.product_code.strip().strip('{}')}}}".upper()
    if not _GUID.fullmatch(code):
        raise RuleInvalidError(f"the product code is {rule.product_code!r}, expected a GUID in braces")
    return code


def check_product(rule: ProductCodeRule) -> None:
    """Make sure that the rule makes sense.

    Raises:
        RuleInvalidError: It does not.
    """
    product_code(rule)
    if rule.product_version_operator is not Operator.NOT_CONFIGURED:
        expectation(rule.product_version_operator, rule.product_version, as_version)


def judge_product(rule: ProductCodeRule, platform: Platform) -> Verdict:
    """Look at the machine and answer the rule.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: Windows Installer does not tell, or what it tells is no version.
    """
    code = product_code(rule)
    try:
        version = platform.product_version(code)
    except OSError as error:
        raise CannotTellError(f"{code}: {error.strerror or error}") from error
    return judge_product_version(rule, version)


def judge_product_version(rule: ProductCodeRule, version: str | None) -> Verdict:
    """Answer the rule from the product's installed version, None where it is not installed; a pure function.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: The installed version is none.
    """
    subject, how = f"product {product_code(rule)}", rule.product_version_operator
    if how is Operator.NOT_CONFIGURED:
        return presence(subject, is_there=version is not None, wanted=True)
    if version is None:
        return absent(subject, f"version {how} {rule.product_version}")
    return compare(subject, version, how, rule.product_version, as_version, what="version")
