"""How the devices of a ring are doing, in numbers: what a rollout decides by."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from contract.jobs import JobState
from contract.policy import FailureClass
from contract.report import WaitReason
from contract.states import EnforcementState, Outcome


class Standing(StrEnum):
    """How one device of a rollout is doing."""

    #: Online, and not admitted: it has what it had before.
    HELD = "held"
    #: Admitted; it has no result yet.
    AT_WORK = "at-work"
    #: An attempt failed, and the next one comes soon.
    RETRYING = "retrying"
    #: Offline, and without a result, admitted or not.
    ABSENT = "absent"
    #: As wanted.
    SUCCEEDED = "succeeded"
    #: Its attempts are used up.
    FAILED = "failed"
    #: The app is not for it, or its requirements are not met.
    NOT_APPLICABLE = "not-applicable"
    #: An operator cancelled its job.
    CANCELLED = "cancelled"


#: Standings with which nothing more comes by itself.
SETTLED: Final = frozenset({Standing.SUCCEEDED, Standing.FAILED, Standing.NOT_APPLICABLE, Standing.CANCELLED})

_NOT_FOR_IT: Final = frozenset({Outcome.NOT_APPLICABLE, Outcome.REQUIREMENTS_NOT_MET})

#: A job is held for good, as far as anybody knows, where an app that it depends on says so.
_OF_DEPENDENCIES: Final = {
    EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_FAILURE: Standing.FAILED,
    EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_REQUIREMENTS_NOT_MET: Standing.NOT_APPLICABLE,
    EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_AUTO_INSTALL_OFF: Standing.NOT_APPLICABLE,
}

#: Waits after which the same round of attempts goes on; all others come when the round has failed.
_WITHIN_A_ROUND: Final = frozenset({WaitReason.RETRY_INTERVAL, WaitReason.INTERRUPTED})


@dataclass(frozen=True)
class DeviceResult:
    """A device of a rollout and its newest job for the revision; without a job all about it is None.

    Attributes:
        admitted: Whether it gets the revision.
        online: Whether it was seen lately.
        enforcement: The number reported last; of a held job, what the apps that it waits for make of it.
        failure: The class of the error reported last.
    """

    ring: int
    admitted: bool
    online: bool
    state: JobState | None = None
    outcome: Outcome | None = None
    enforcement: EnforcementState | None = None
    next_action_reason: WaitReason | None = None
    failure: FailureClass | None = None


def standing_of(device: DeviceResult) -> Standing:
    """How it is doing."""
    if not device.admitted:
        return Standing.HELD if device.online else Standing.ABSENT
    return _result(device) or (Standing.AT_WORK if device.online else Standing.ABSENT)


def _result(device: DeviceResult) -> Standing | None:
    if device.state is JobState.CANCELLED:
        return Standing.CANCELLED
    if device.outcome is not None and device.outcome.as_desired:
        return Standing.SUCCEEDED
    if device.outcome in _NOT_FOR_IT:
        return Standing.NOT_APPLICABLE
    if device.outcome is Outcome.FAILED:
        return Standing.RETRYING if _is_tried_again(device) else Standing.FAILED
    if device.state is JobState.HELD and device.enforcement is not None:
        return _OF_DEPENDENCIES.get(device.enforcement)
    return None


def _is_tried_again(device: DeviceResult) -> bool:
    reason = device.next_action_reason
    return device.state is not JobState.FINISHED and (reason is None or reason in _WITHIN_A_ROUND)


@dataclass(frozen=True)
class RingCounts:
    """The devices of one ring.

    Attributes:
        standings: How many devices have each standing.
        failed: Devices whose attempts are used up, by the class of what went wrong.
        retrying: Devices that failed and are tried again, in the same way.
    """

    standings: Mapping[Standing, int] = field(default_factory=dict)
    failed: Mapping[FailureClass, int] = field(default_factory=dict)
    retrying: Mapping[FailureClass, int] = field(default_factory=dict)

    def of(self, *standings: Standing) -> int:
        """How many have one of these standings."""
        return sum(self.standings.get(standing, 0) for standing in standings)

    @property
    def devices(self) -> int:
        """How many there are."""
        return sum(self.standings.values())

    @property
    def telling(self) -> int:
        """How many can tell whether the revision is good: all but those that are offline, left out or not meant."""
        return self.devices - self.of(Standing.ABSENT, Standing.NOT_APPLICABLE, Standing.CANCELLED)

    @property
    def all_settled(self) -> bool:
        """Whether nothing is to be waited for: what is held is not, and neither is who is offline."""
        return not self.of(Standing.AT_WORK, Standing.RETRYING)


def count(results: Iterable[tuple[DeviceResult, int]], rings: int) -> tuple[RingCounts, ...]:
    """The counts of each ring.

    Args:
        results: Each way for a device to be, with how many are like that; what was counted in one way and is another by
            now comes once more, with a negative number.
        rings: How many rings there are.
    """
    standings: list[Counter[Standing]] = [Counter() for _ in range(rings)]
    failed: list[Counter[FailureClass]] = [Counter() for _ in range(rings)]
    retrying: list[Counter[FailureClass]] = [Counter() for _ in range(rings)]
    classes = {Standing.FAILED: failed, Standing.RETRYING: retrying}
    for result, number in results:
        standing = standing_of(result)
        standings[result.ring][standing] += number
        if standing in classes:
            classes[standing][result.ring][result.failure or FailureClass.INSTALLER] += number
    # What has come to nothing is left out.
    return tuple(RingCounts(+some, +bad, +again) for some, bad, again in zip(standings, failed, retrying, strict=True))
