"""Send what is in the outbox: after the commit that decided it, by as many dispatchers as there are.

An entry is claimed, sent, and marked as sent. A dispatcher that dies in between leaves a claim that runs out, and the
same generation is sent again: the device's ledger knows it and does nothing twice.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from contract.clock import Clock
from contract.errors import UnavailableError
from contract.jobs import JobRef, JobState
from control.database.among import among
from control.database.session import Database
from control.database.tables import Device, Job, OutboxEntry
from control.dispatch.admission import Admission, Bucket
from control.dispatch.ports import AddressedJob, JobPublisher
from control.live_states import WANTED_STATES

if TYPE_CHECKING:
    from sqlalchemy import Table

#: How long a dispatcher has for one batch before another may take it over: a multiple of what a batch takes, and short,
#: because the jobs that a killed dispatcher had claimed wait for it.
_CLAIM: Final = timedelta(seconds=30)
_BATCH: Final = 500

_JOBS: Final = cast("Table", Job.__table__)
_OUTBOX: Final = cast("Table", OutboxEntry.__table__)

#: How many entries are still to be sent to each of these devices; of jobs that were sent anew, the newest counts.
_UNSENT: Final = (
    select(_JOBS.c.device_id, func.count())
    .join_from(_OUTBOX, _JOBS, (_JOBS.c.id == _OUTBOX.c.job_id) & (_JOBS.c.generation == _OUTBOX.c.generation))
    .where(_OUTBOX.c.sent_at.is_(None), among(_JOBS.c.device_id, "device_ids"), _JOBS.c.state.in_(WANTED_STATES))
    .group_by(_JOBS.c.device_id)
)

#: A job and its generation.
_Key: TypeAlias = tuple[str, int]


def dispatch_due(
    database: Database,
    publisher: JobPublisher,
    clock: Clock,
    limit: int,
    admission: Admission | None = None,
    *,
    to: ColumnElement[bool] | None = None,
) -> int:
    """Send up to `limit` jobs.

    Args:
        database: Where the outbox is.
        publisher: Sends jobs.
        clock: The time.
        limit: Jobs that are sent at most.
        admission: How fast jobs may be sent by all dispatchers together; None for any speed.
        to: A condition on the `Device` that a job is for; None for all devices.

    Returns:
        How many were sent.

    Raises:
        UnavailableError: The broker or the database does not answer; what was not sent stays in the outbox.
    """
    sent = 0
    while sent < limit:
        with database.transaction() as session:
            parcels = _admit(session, clock.now(), min(_BATCH, limit - sent), admission, to)
        if not parcels:
            break
        _send(database, publisher, clock, parcels, admission)
        sent += len(parcels)
    return sent


def pending_entries(session: Session, device_ids: Collection[str]) -> Mapping[str, int]:
    """How many jobs in the outbox are still to be sent to these devices; those that have none are left out.

    What the session has not flushed yet is not seen.
    """
    return dict(session.execute(_UNSENT, {"device_ids": sorted(device_ids)}).all())


def _admit(
    session: Session, now: datetime, limit: int, admission: Admission | None, to: ColumnElement[bool] | None
) -> list[AddressedJob]:
    if admission is None:
        return _claim(session, now, limit, to)
    bucket = Bucket(session, admission, now)
    parcels = _claim(session, now, min(limit, bucket.free), to)
    bucket.take(len(parcels))
    return parcels


def _claim(session: Session, now: datetime, limit: int, to: ColumnElement[bool] | None) -> list[AddressedJob]:
    claimed: list[AddressedJob] = []
    while len(claimed) < limit and (entries := _free(session, now, limit - len(claimed), to)):
        jobs = _still_wanted(session, [job_id for job_id, _ in entries])
        good = [entry for entry in entries if entry in jobs]
        if void := [entry for entry in entries if entry not in jobs]:
            # What was sent anew has a newer entry; what is over is never sent under this generation.
            session.execute(_DROP, _rows(void))
        if good:
            session.execute(_CLAIM_THEM, _rows(good, until=now + _CLAIM))
        claimed += (jobs[entry] for entry in good)
    return claimed


def _free(session: Session, now: datetime, limit: int, to: ColumnElement[bool] | None) -> list[_Key]:
    """The oldest entries that nobody sends; the index has them in order, however many have been sent."""
    free = or_(OutboxEntry.claimed_until.is_(None), OutboxEntry.claimed_until < now)
    due = (
        select(OutboxEntry.job_id, OutboxEntry.generation)
        .where(OutboxEntry.sent_at.is_(None), free)
        .order_by(OutboxEntry.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if to is not None:
        due = due.where(select(Job.id).join(Device).where(Job.id == OutboxEntry.job_id, to).exists())
    return [(job_id, generation) for job_id, generation in session.execute(due)]


def _still_wanted(session: Session, job_ids: Sequence[str]) -> dict[_Key, AddressedJob]:
    return {
        (job_id, generation): AddressedJob(device_id, JobRef(job_id=job_id, generation=generation, attempt=attempt))
        for job_id, generation, attempt, device_id in session.execute(_WANTED, {"ids": job_ids})
    }


def _send(
    database: Database,
    publisher: JobPublisher,
    clock: Clock,
    parcels: Sequence[AddressedJob],
    admission: Admission | None,
) -> None:
    refs = [parcel.ref for parcel in parcels]
    try:
        publisher.publish(parcels)
    except UnavailableError:
        with database.transaction() as session:
            _release(session, refs)
            if admission is not None:
                # A broker that is down must not use up what may be sent to others.
                Bucket(session, admission, clock.now()).take(-len(refs))
        raise
    with database.transaction() as session:
        _settle(session, refs, clock.now())


def _release(session: Session, refs: Sequence[JobRef]) -> None:
    session.execute(_CLAIM_THEM, _rows(_keys(refs), until=None))


def _settle(session: Session, refs: Sequence[JobRef], now: datetime) -> None:
    keys = _keys(refs)
    session.execute(_MARK_SENT, _rows(keys, now=now))
    planned = session.execute(_HOLD_PLANNED, {"ids": [ref.job_id for ref in refs]})
    sent = {cast("_Key", tuple(row)) for row in planned} & frozenset(keys)
    session.execute(_LET_RUN, {"ids": [job_id for job_id, _ in sent], "now": now})


def _keys(refs: Sequence[JobRef]) -> list[_Key]:
    return [(ref.job_id, ref.generation) for ref in refs]


def _rows(keys: Sequence[_Key], **values: datetime | None) -> list[dict[str, Any]]:
    """Parameters of a statement about these entries, for each generation among them: nearly all are of the first."""
    ids = defaultdict[int, list[str]](list)
    for job_id, generation in keys:
        ids[generation].append(job_id)
    return [{"of_generation": generation, "ids": ids[generation], **values} for generation in ids]


_THEM: Final = and_(among(_OUTBOX.c.job_id, "ids"), _OUTBOX.c.generation == bindparam("of_generation"))
_DROP: Final = delete(_OUTBOX).where(_THEM)
_CLAIM_THEM: Final = update(_OUTBOX).where(_THEM).values(claimed_until=bindparam("until"))
_MARK_SENT: Final = update(_OUTBOX).where(_THEM).values(sent_at=bindparam("now"))

_WANTED: Final = select(_JOBS.c.id, _JOBS.c.generation, _JOBS.c.attempt, _JOBS.c.device_id).where(
    among(_JOBS.c.id, "ids"), _JOBS.c.state.in_(WANTED_STATES)
)
#: A fast device may be running the job, or have ended it, by now: then its own word stands. In the order of their ids,
#: as everybody locks jobs: operators may be cancelling them.
_HOLD_PLANNED: Final = (
    select(_JOBS.c.id, _JOBS.c.generation)
    .where(among(_JOBS.c.id, "ids"), _JOBS.c.state == JobState.PLANNED)
    .order_by(_JOBS.c.id)
    .with_for_update(key_share=True)
)
_LET_RUN: Final = (
    update(_JOBS)
    .where(among(_JOBS.c.id, "ids"))
    .values(state=JobState.SENT, sent_at=bindparam("now"), last_sign_at=bindparam("now"))
)
