"""Write the jobs that planning makes: with one statement all that are alike but for their ids and their devices."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import insert, literal, select, update
from sqlalchemy.orm import Session

from control.database.listed import listed
from control.database.tables import Job
from control.planning.job_ids import new_job_id
from control.planning.models import NewJob, Want

if TYPE_CHECKING:
    from sqlalchemy import Table

    from contract.uplink import GenerationReason

#: Databases bound the number of parameters of one statement.
_BATCH: Final = 500

_JOBS: Final = cast("Table", Job.__table__)

#: The fields of `Want` that a job's row has under the same names.
_WANTED: Final = tuple(field.name for field in fields(Want))


def make_jobs(session: Session, jobs: Sequence[NewJob], now: datetime) -> None:
    """Make them, in place of those that they replace."""
    replaced = [job.replaces for job in jobs if job.replaces is not None]
    for start in range(0, len(replaced), _BATCH):
        old = Job.id.in_(replaced[start : start + _BATCH])
        session.execute(update(Job).where(old).values(is_newest=False))
    alike: defaultdict[tuple[Want, GenerationReason], list[str]] = defaultdict(list)
    for job in jobs:
        alike[job.want, job.reason].append(job.device_id)
    for (want, reason), device_ids in alike.items():
        same = {name: getattr(want, name) for name in _WANTED}
        _insert(session, device_ids, {**same, "generation_reason": reason, "created_at": now})


def _insert(session: Session, device_ids: Sequence[str], same: dict[str, Any]) -> None:
    own = listed(session, [(new_job_id(), device_id) for device_id in device_ids])
    shared = (literal(value, _JOBS.columns[name].type) for name, value in same.items())
    session.execute(insert(_JOBS).from_select(["id", "device_id", *same], select(*own, *shared)))
