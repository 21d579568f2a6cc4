"""Which reports other apps of the same device may wait for."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from control.database.tables import Job, RelationRow


def concerns_others(session: Session, job: Job) -> bool:
    """Whether the job's app is related to others, so that its result may decide what happens to them, or it to them."""
    if job.evaluates_only or job.for_app_id is not None:
        return True
    return bool(session.scalar(select(exists().where(RelationRow.related_app_id == job.app_id))))
