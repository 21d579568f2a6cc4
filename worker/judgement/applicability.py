"""Applicability: what a device must be to be able to run an app (behaviour B-34, 2.5)."""

from collections.abc import Iterator
from dataclasses import dataclass

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.policy import Requirements
from contract.rules import RunAsAccount
from contract.states import Applicability
from contract.uplink import DeviceFacts
from worker.judgement.compare import NotOfTypeError, as_version
from worker.judgement.verdict import Verdict


@dataclass(frozen=True)
class Unmet:
    """A requirement the device does not meet.

    Attributes:
        number: Which one.
        words: What was compared with what.
    """

    number: Applicability
    words: str


@dataclass(frozen=True)
class Condition:
    """One thing a device must be or have, and whether it is so.

    Attributes:
        number: What a device says that does not meet it.
    """

    number: Applicability
    verdict: Verdict


@dataclass(frozen=True)
class Candidate:
    """The device an app is to be installed on.

    Attributes:
        cpu_speed_in_mhz: None where the device does not tell.
        why_no_user_context: In words why this agent runs nothing in a user's name; empty where it can.
    """

    facts: DeviceFacts
    cpu_speed_in_mhz: int | None
    why_no_user_context: str = ""


def first_unmet(required: Requirements, account: RunAsAccount, candidate: Candidate) -> Unmet | None:
    """The first requirement the device does not meet; None where it meets all.

    Args:
        required: What the app needs.
        account: In whose name it installs.
        candidate: The device.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: a release is not written in numbers.
    """
    unmet = (one for one in conditions(required, account, candidate) if not one.verdict.holds)
    return next((Unmet(one.number, one.verdict.words) for one in unmet), None)


def conditions(required: Requirements, account: RunAsAccount, candidate: Candidate) -> Iterator[Condition]:
    """All that the app asks of a device, met or not, in the order in which a device is told.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: a release is not written in numbers.
    """
    if account is RunAsAccount.USER:
        why_not = candidate.why_no_user_context
        verdict = Verdict(not why_not, "install context", why_not or "user", "user")
        yield Condition(Applicability.USER_CONTEXT_UNSUPPORTED, verdict)
    yield from _kinds(required, candidate.facts)
    yield from _release(required.minimum_os_release, candidate.facts.os_version)
    yield from _amounts(required, candidate)


def _kinds(required: Requirements, facts: DeviceFacts) -> Iterator[Condition]:
    kinds = (
        (
            Applicability.HOST_PLATFORM_NOT_APPLICABLE,
            "operating system",
            facts.os_name,
            required.operating_systems,
        ),
        (
            Applicability.PROCESSOR_ARCHITECTURE_NOT_APPLICABLE,
            "architecture",
            facts.architecture,
            required.architectures,
        ),
    )
    for number, what, actual, allowed in kinds:
        if allowed:
            yield Condition(number, Verdict(actual in allowed, what, actual, " or ".join(sorted(allowed))))


def _release(minimum: str | None, actual: str) -> Iterator[Condition]:
    if minimum is None:
        return
    try:
        is_new_enough = as_version(actual) >= as_version(minimum)
    except NotOfTypeError as error:
        place = "minimum release of the operating system"
        raise PhaseError(ErrorCode.RULE_EVALUATION_FAILED, detail=f"found {error}", place=place) from error
    verdict = Verdict(is_new_enough, "release of the operating system", actual, f"at least {minimum}")
    yield Condition(Applicability.OS_VERSION_NOT_MET, verdict)


def _amounts(required: Requirements, candidate: Candidate) -> Iterator[Condition]:
    facts = candidate.facts
    amounts = (
        (
            Applicability.FREE_DISK_SPACE_NOT_MET,
            "free disk space in MiB",
            facts.free_disk_space_in_mb,
            required.minimum_free_disk_space_in_mb,
        ),
        (Applicability.MEMORY_NOT_MET, "memory in MiB", facts.memory_in_mb, required.minimum_memory_in_mb),
        (
            Applicability.LOGICAL_PROCESSORS_NOT_MET,
            "logical processors",
            facts.processors,
            required.minimum_number_of_processors,
        ),
        (
            Applicability.CPU_SPEED_NOT_MET,
            "processor speed in MHz",
            candidate.cpu_speed_in_mhz,
            required.minimum_cpu_speed_in_mhz,
        ),
    )
    for number, what, actual, minimum in amounts:
        if minimum is not None:
            yield _amount(number, what, actual, minimum)


def _amount(number: Applicability, what: str, actual: int | None, minimum: int) -> Condition:
    expected = f"at least {minimum}"
    if actual is None:
        # What a device does not tell is not taken for enough.
        verdict = Verdict(False, what, "not told by this device", expected)
        return Condition(Applicability.HOST_PLATFORM_NOT_APPLICABLE, verdict)
    return Condition(number, Verdict(actual >= minimum, what, str(actual), expected))
