"""The rollouts of a large database: one that holds most devices back, one that has reached all, and many that ended."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, Update, exists, func, select, update

from contract.jobs import JobState
from contract.states import Outcome
from control.database.tables import Job, Rollout, RolloutDevice
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import RolloutState

#: The rollout that most devices are held back by, and the one that has reached all of them.
HELD: Final = "rollout-held"
THROUGH: Final = "rollout-through"
#: The same, in the order of the apps that they bring.
UNDER_WAY: Final = (HELD, THROUGH)
#: What they bring, and what devices had before.
REVISION: Final = 2

_BEGAN: Final = datetime(2026, 2, 20, tzinfo=UTC)
_ENDED: Final = 300
_EVENTS: Final = 500
_WHOLE: Final = 100
#: Percent of the devices.
_CANARY, _EARLY = 1, 10
_RING_NAMES: Final = ("canary", "early", "all")


def ring_of(device: int) -> int:
    """The ring of a device, the same in each rollout."""
    place = device % _WHOLE
    if place < _CANARY:
        return 0
    return 1 if place < _CANARY + _EARLY else 2


def is_admitted(rollout: str, device: int) -> bool:
    """Whether the device gets the rollout's revision."""
    return rollout == THROUGH or ring_of(device) < len(_RING_NAMES) - 1


def rollouts(app_ids: tuple[str, ...], ended_app_id: str) -> Iterator[dict[str, Any]]:
    """Those under way, of these apps, and many that have ended, of another one."""
    for name, app_id in zip(UNDER_WAY, app_ids, strict=True):
        yield {**_rollout(name, app_id, RolloutState.RUNNING, _BEGAN), "is_tallied": True}
    for number in range(_ENDED):
        began = _BEGAN - timedelta(days=_ENDED - number)
        yield {**_rollout(f"rollout-{number:03}", ended_app_id, RolloutState.FINISHED, began), "revision": 1}


def rings() -> Iterator[dict[str, Any]]:
    """The rings of those under way; each but the last one of the first rollout was opened."""
    for name in UNDER_WAY:
        for number in range(len(_RING_NAMES)):
            is_open = name == THROUGH or number < len(_RING_NAMES) - 1
            opened = _BEGAN + timedelta(days=number) if is_open else None
            passed = _BEGAN + timedelta(days=number + 1) if number == 0 else None
            times = {"opened_at": opened, "soak_since": passed, "passed_at": passed}
            yield {"rollout_id": name, "number": number, **times}


def rollout_devices(device_ids: list[str]) -> Iterator[dict[str, Any]]:
    """Each device in its ring of each rollout under way."""
    for name in UNDER_WAY:
        for device, device_id in enumerate(device_ids):
            yield {
                "rollout_id": name,
                "device_id": device_id,
                "ring": ring_of(device),
                "joined_at": _BEGAN,
                "admitted_at": _BEGAN if is_admitted(name, device) else None,
                "left_at": None,
            }


def noted() -> Update:
    """Note which devices are done, as their jobs say that they were counted."""
    done = (Job.state == JobState.FINISHED, Job.outcome == Outcome.INSTALLED, Job.revision == Rollout.revision)
    is_done = exists().where(
        Rollout.id == RolloutDevice.rollout_id,
        Job.device_id == RolloutDevice.device_id,
        Job.app_id == Rollout.app_id,
        Job.is_newest,
        *done,
    )
    return update(RolloutDevice).where(is_done).values(done_revision=REVISION)


def tallies() -> Select[*tuple[Any, ...]]:
    """The tallies of those under way, as the jobs say that they were counted."""
    place = (RolloutDevice.rollout_id, Job.app_id, Job.tallied_as.label("place"))
    jobs = (
        select(*place, func.count().label("jobs"))
        .join(Rollout, Rollout.id == RolloutDevice.rollout_id)
        .join(Job, (Job.device_id == RolloutDevice.device_id) & (Job.app_id == Rollout.app_id))
    )
    return jobs.where(Rollout.is_tallied, Job.is_newest).group_by(*place)


def rollout_events() -> Iterator[dict[str, Any]]:
    """A long history of each of those under way."""
    for name in UNDER_WAY:
        for sequence in range(1, _EVENTS + 1):
            what = {"at": _BEGAN, "actor": "rollout", "what": "paused", "detail": "for the benchmark"}
            yield {"rollout_id": name, "sequence": sequence, **what}


def _rollout(name: str, app_id: str, state: RolloutState, began: datetime) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "app_id": app_id,
        "revision": REVISION,
        "is_tallied": False,
        "baseline": 1,
        "spec": _spec(),
        "state": state,
        "created_at": began,
        "started_at": began,
        "changed_at": began,
    }


@cache
def _spec() -> dict[str, Any]:
    canary, early, everybody = _RING_NAMES
    shares = ({"name": canary, "percent": _CANARY}, {"name": early, "percent": _EARLY}, {"name": everybody})
    return RolloutSpec.model_validate({"rings": shares}).model_dump(mode="json")
