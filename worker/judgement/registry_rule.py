"""Registry rules (behaviour 2.8)."""

from dataclasses import dataclass

from contract.rules import RegistryOperation, RegistryRule
from worker.judgement.compare import Reader, as_integer, as_text, as_version, compare, expectation
from worker.judgement.verdict import CannotTellError, RuleInvalidError, Verdict, absent, presence
from worker.platform.port import Hive, Platform, RegistryKey, RegistryValue, View

_SHORT_NAMES = {
    "HKLM": Hive.LOCAL_MACHINE,
    "HKCU": Hive.CURRENT_USER,
    "HKCR": Hive.CLASSES_ROOT,
    "HKU": Hive.USERS,
    "HKCC": Hive.CURRENT_CONFIG,
}
_HIVES = _SHORT_NAMES | {hive.value: hive for hive in Hive}

_READERS: dict[RegistryOperation, Reader] = {
    RegistryOperation.STRING: as_text,
    RegistryOperation.INTEGER: as_integer,
    RegistryOperation.VERSION: as_version,
}
_PRESENCE = {RegistryOperation.EXISTS, RegistryOperation.DOES_NOT_EXIST}


@dataclass(frozen=True)
class RegistryFacts:
    """What a registry rule can look at.

    Attributes:
        has_key: Whether the key is there.
        value: The value the rule names, the key's unnamed one where it names none; None where it is not there.
    """

    has_key: bool
    value: RegistryValue | None


def registry_key(rule: RegistryRule) -> RegistryKey:
    """The key a rule looks at.

    Raises:
        RuleInvalidError: Its path does not begin with a root of the registry.
    """
    root, _, path = rule.key_path.strip("\\").partition("\\")
    hive = _HIVES.get(root.upper())
    if hive is None:
        raise RuleInvalidError(f"the key begins with {root!r}, expected {', '.join(_SHORT_NAMES)} or the long form")
    return RegistryKey(hive, path, View.BITS_32 if rule.check32_bit_on64_system else View.NATIVE)


def check_registry(rule: RegistryRule) -> None:
    """Make sure that the rule makes sense.

    Raises:
        RuleInvalidError: It does not.
    """
    registry_key(rule)
    if rule.operation_type in _READERS:
        expectation(rule.operator, rule.comparison_value, _READERS[rule.operation_type])


def judge_registry(rule: RegistryRule, platform: Platform) -> Verdict:
    """Look at the machine and answer the rule.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: The key cannot be read, or its value cannot be compared.
    """
    key = registry_key(rule)
    try:
        facts = RegistryFacts(platform.has_registry_key(key), platform.registry_value(key, rule.value_name))
    except OSError as error:
        raise CannotTellError(f"{rule.key_path}: {error.strerror or error}") from error
    return judge_registry_facts(rule, facts)


def judge_registry_facts(rule: RegistryRule, facts: RegistryFacts) -> Verdict:
    """Answer the rule from what the registry holds; a pure function.

    Raises:
        RuleInvalidError: The rule makes no sense.
        CannotTellError: The value cannot be compared as the rule wants.
    """
    subject = _subject(rule)
    if rule.operation_type in _PRESENCE:
        is_there = facts.value is not None if rule.value_name else facts.has_key
        return presence(subject, is_there=is_there, wanted=rule.operation_type is RegistryOperation.EXISTS)
    if facts.value is None:
        return absent(subject, f"{rule.operation_type} {rule.operator} {rule.comparison_value}")
    found = _text(facts.value, subject)
    read = _READERS[rule.operation_type]
    return compare(subject, found, rule.operator, rule.comparison_value, read, what=rule.operation_type)


def _subject(rule: RegistryRule) -> str:
    view = " (32-bit view)" if rule.check32_bit_on64_system else ""
    return f"{rule.key_path} {rule.value_name}".rstrip() + view


def _text(value: RegistryValue, subject: str) -> str:
    match value:
        case str() | int():
            return str(value)
        case tuple():
            raise CannotTellError(f"{subject}: it is a list of texts, which no rule compares")
        case _:
            raise CannotTellError(f"{subject}: it is binary, which no rule compares")
