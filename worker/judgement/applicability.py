"""Applicability: what a device must be to be able to run an app (behaviour B-34, 2.5)."""

from collections.abc import Iterator
from dataclasses import dataclass

from contract.policy import Policy, Requirements
from contract.rules import RunAsAccount
from contract.states import Applicability
from contract.uplink import DeviceFacts
from worker.judgement.compare import NotOfTypeError, as_version
from worker.judgement.verdict import not_evaluated


@dataclass(frozen=True)
class Unmet:
    """A requirement the device does not meet.

    Attributes:
        number: Which one.
        words: What was compared with what.
    """

    number: Applicability
    words: str


def first_unmet(policy: Policy, facts: DeviceFacts, cpu_speed_in_mhz: int | None) -> Unmet | None:
    """The first requirement the device does not meet; None where it meets all.

    Args:
        policy: Whose requirements.
        facts: The device.
        cpu_speed_in_mhz: None where the device does not tell.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: a release is not written in numbers.
    """
    return next(_unmet(policy, facts, cpu_speed_in_mhz), None)


def _unmet(policy: Policy, facts: DeviceFacts, cpu_speed_in_mhz: int | None) -> Iterator[Unmet]:
    required = policy.requirements
    if policy.install_experience.run_as_account is RunAsAccount.USER:
        words = "the app installs in the user's context; the job is the device's"
        yield Unmet(Applicability.USER_CONTEXT_UNSUPPORTED, words)
    if required.operating_systems and facts.os_name not in required.operating_systems:
        words = f"operating system {facts.os_name}, expected {_any_of(required.operating_systems)}"
        yield Unmet(Applicability.HOST_PLATFORM_NOT_APPLICABLE, words)
    if required.architectures and facts.architecture not in required.architectures:
        words = f"architecture {facts.architecture}, expected {_any_of(required.architectures)}"
        yield Unmet(Applicability.PROCESSOR_ARCHITECTURE_NOT_APPLICABLE, words)
    yield from _old_release(required, facts)
    yield from _too_little(required, facts)
    yield from _too_slow(required.minimum_cpu_speed_in_mhz, cpu_speed_in_mhz)


def _old_release(required: Requirements, facts: DeviceFacts) -> Iterator[Unmet]:
    minimum = required.minimum_os_release
    if minimum is None:
        return
    try:
        is_older = as_version(facts.os_version) < as_version(minimum)
    except NotOfTypeError as error:
        raise not_evaluated(str(error), place="requirements.minimum_os_release") from error
    if is_older:
        yield Unmet(Applicability.OS_VERSION_NOT_MET, f"release {facts.os_version}, expected at least {minimum}")


def _too_little(required: Requirements, facts: DeviceFacts) -> Iterator[Unmet]:
    amounts = (
        (
            Applicability.FREE_DISK_SPACE_NOT_MET,
            "MiB of free disk space",
            facts.free_disk_space_in_mb,
            required.minimum_free_disk_space_in_mb,
        ),
        (Applicability.MEMORY_NOT_MET, "MiB of memory", facts.memory_in_mb, required.minimum_memory_in_mb),
        (
            Applicability.LOGICAL_PROCESSORS_NOT_MET,
            "logical processors",
            facts.processors,
            required.minimum_number_of_processors,
        ),
    )
    for number, what, actual, minimum in amounts:
        if minimum is not None and actual < minimum:
            yield Unmet(number, f"{actual} {what}, expected at least {minimum}")


def _too_slow(minimum: int | None, actual: int | None) -> Iterator[Unmet]:
    if minimum is None:
        return
    if actual is None:
        yield Unmet(Applicability.HOST_PLATFORM_NOT_APPLICABLE, "this device does not tell its processors' speed")
    elif actual < minimum:
        yield Unmet(Applicability.CPU_SPEED_NOT_MET, f"{actual} MHz, expected at least {minimum}")


def _any_of(names: frozenset[str]) -> str:
    return " or ".join(sorted(names))
