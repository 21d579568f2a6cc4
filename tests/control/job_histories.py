"""What can happen to the jobs of a small fleet, to be drawn in any order."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import WaitReason
from contract.states import Intent, Outcome
from control.cancel_reasons import CancelReason
from control.database.tables import Job
from control.newest_jobs import give_way, make_way
from tests.bench import big_fleet
from tests.bench.big_fleet import Size

#: The fleet.
SIZE = Size(devices=3, apps=2, apps_of_device=2)

#: Something that happens in a transaction.
Step = Callable[[Session], object]


def pair_of(number: int) -> tuple[str, str]:
    """The device and app of one of the pairs there are."""
    device, app = divmod(number, SIZE.apps_of_device)
    return big_fleet.device_id(device), big_fleet.app_id(SIZE.apps_of(device)[app])


def newest_of(number: int) -> Any:
    device_id, app_id = pair_of(number)
    return Job.device_id == device_id, Job.app_id == app_id, Job.is_newest


PAIRS = st.integers(0, SIZE.devices * SIZE.apps_of_device - 1)
PLACES = st.fixed_dictionaries(
    {
        "state": st.sampled_from((JobState.FINISHED, JobState.RUNNING, JobState.WAITING, JobState.CANCELLED)),
        "outcome": st.none() | st.sampled_from((Outcome.INSTALLED, Outcome.FAILED)),
        "next_action_reason": st.none() | st.sampled_from((WaitReason.GRS, WaitReason.RETRY_INTERVAL)),
        "cancel_reason": st.none() | st.sampled_from(CancelReason),
        "phase": st.none() | st.sampled_from((Phase.DETECT, Phase.INSTALL)),
        "error_number": st.none() | st.sampled_from((0, 7, 2**31)),
        "error_code": st.none() | st.sampled_from(("installer-failed", "with/slash", "")),
    }
)


@st.composite
def moving(draw: st.DrawFn) -> Step:
    """A job gets on, in any way."""
    pair, place = draw(PAIRS), draw(PLACES)
    return lambda session: session.execute(update(Job).where(*newest_of(pair)).values(place))


@st.composite
def replacing(draw: st.DrawFn, revisions: tuple[int, ...] = (1,)) -> Step:
    """A newer job takes a job's place, for one of these revisions."""
    (device_id, app_id), revision = pair_of(draw(PAIRS)), draw(st.sampled_from(revisions))

    def replace(session: Session) -> None:
        over = {"state": JobState.FINISHED}
        session.execute(update(Job).where(Job.device_id == device_id, Job.app_id == app_id).values(over))
        make_way(session, [(device_id, app_id)])
        new = {
            "id": str(uuid4()),
            "device_id": device_id,
            "app_id": app_id,
            "revision": revision,
            "intent": Intent.REQUIRED,
        }
        session.execute(insert(Job), [{**new, "created_at": big_fleet.NOW}])

    return replace


@st.composite
def handing_back(draw: st.DrawFn) -> Step:
    """A job was never wanted, and the one before it counts again."""
    pair = draw(PAIRS)

    def hand_back(session: Session) -> None:
        unwanted = {"state": JobState.CANCELLED, "cancel_reason": CancelReason.SUPERSEDED, "sent_at": None}
        ids = session.scalars(select(Job.id).where(*newest_of(pair))).all()
        session.execute(update(Job).where(Job.id.in_(ids)).values(unwanted))
        give_way(session, ids)

    return hand_back
