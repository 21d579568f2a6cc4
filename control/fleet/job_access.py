"""Which jobs a device may ask about: its own, live, in their current generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.jobs import JobState
from contract.states import Intent
from contract.uplink import GenerationReason
from control.database.among import among
from control.database.session import Database
from control.database.tables import Job, Package, Revision, TrustedKeysRow
from control.grouped_calls import GroupedCalls
from control.live_states import WANTED_STATES


@dataclass(frozen=True)
class AskedJob:
    """A job as a device that asks for its policy or its content needs it.

    Attributes:
        package_digest: The digest of its revision's content.
        package_size: The bytes of that.
        wrapped_key: The content key as it stands in the database.
        trusted_keys_version: The newest version of the trusted keys; 0 where there is none.
    """

    id: str
    device_id: str
    app_id: str
    revision: int
    intent: Intent
    settings_digest: str
    state: JobState
    generation: int
    generation_reason: GenerationReason
    package_digest: str
    package_size: int
    wrapped_key: bytes
    trusted_keys_version: int


class _OfDevice(Protocol):
    """What has to be known of a job to say who may ask about it."""

    @property
    def id(self) -> str: ...
    @property
    def device_id(self) -> str: ...
    @property
    def state(self) -> JobState: ...
    @property
    def generation(self) -> int: ...


_ASKED: Final = (
    select(
        Job.id,
        Job.device_id,
        Job.app_id,
        Job.revision,
        Job.intent,
        Job.settings_digest,
        Job.state,
        Job.generation,
        Job.generation_reason,
        Package.digest,
        Package.size,
        Package.wrapped_key,
        func.coalesce(select(func.max(TrustedKeysRow.version)).scalar_subquery(), 0),
    )
    .join(Revision, (Revision.app_id == Job.app_id) & (Revision.number == Job.revision))
    .join(Package, Package.digest == Revision.package_digest)
    .where(among(Job.id, "ids"))
)


class JobAccess:
    """Finds jobs that devices ask about; those that are asked for together with one query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._calls = GroupedCalls("jobs", self._find, lambda job_id: self._find([job_id])[0])

    async def live_job(self, job_id: str, device_id: str, generation: int | None) -> AskedJob:
        """The job.

        Raises:
            NotFoundError: It is not a job of this device, or it is void: over, being cancelled, or sent anew.
            UnavailableError: The database does not answer.
        """
        for job in await self._calls.call(job_id):
            require_live(job, device_id, generation)
            return job
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id)

    def _find(self, job_ids: Sequence[str]) -> Sequence[tuple[AskedJob, ...]]:
        rows = self._database.rows(_ASKED, {"ids": sorted(set(job_ids))})
        found = {row.id: AskedJob(*tuple(row)) for row in rows}
        return [(found[job_id],) if job_id in found else () for job_id in job_ids]


def live_revision(session: Session, job_id: str, device_id: str, generation: int | None) -> tuple[Job, Revision]:
    """The job and its revision.

    Raises:
        NotFoundError: It is not a job of this device, or it is void: over, being cancelled, or sent anew.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id)
    require_live(job, device_id, generation)
    return job, session.get_one(Revision, (job.app_id, job.revision))


def require_live(job: _OfDevice, device_id: str, generation: int | None) -> None:
    """Let pass only the device's own job, and only while somebody waits for it in this generation.

    Raises:
        NotFoundError: UNKNOWN_JOB; a device is not told whether another one has such a job.
    """
    if job.device_id != device_id:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job.id)
    if job.state not in WANTED_STATES:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job.id, detail=f"it is {job.state} and nobody waits for it")
    if generation is not None and generation < job.generation:
        detail = f"generation {generation} is void; {job.generation} is the current one"
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job.id, detail=detail)
