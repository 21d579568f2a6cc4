"""What went wrong how often, by code, phase and app: what stands now, or all that was ever reported."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.phases import Phase
from control.answers.job_filter import JobFilter, conditions
from control.answers.tallied import Tallied
from control.answers.tallied_errors import ShownError, tallied_errors
from control.database.tables import App, Device, Job, ReportRow
from control.views.status import ErrorCount

#: Different errors that one answer tells, the commonest ones.
_SHOWN_ERRORS = 500


def error_counts(session: Session, wanted: JobFilter, *, past: bool = False) -> list[ErrorCount]:
    """The errors that jobs have now, the commonest first; with `past` those that any attempt reported.

    The past has jobs, too, that newer ones have replaced.

    Raises:
        NotFoundError: The filter names something that is not there.
        InputError: What it names could be several things.
    """
    found = _counted(session, _reported(session, wanted)) if past else _standing_now(session, wanted)
    return [
        ErrorCount(
            code=code,
            number=number,
            phase=phase,
            app=app,
            jobs=count,
            devices=devices,
            sentence=row.sentence if (row := known_error(code)) else "",
            hint=row.hint if row else "",
        )
        for code, number, phase, app, count, devices in found
    ]


_Counts = Select[str | None, int | None, Phase | None, str, int, str, str]


def _standing_now(session: Session, wanted: JobFilter) -> Iterator[ShownError]:
    tallied = Tallied.of(session, wanted)
    # Which devices of a group or a rollout have an error only the jobs can tell.
    if tallied is None or tallied.is_of_some:
        return _counted(session, _standing(session, wanted))
    return tallied_errors(session, tallied, _SHOWN_ERRORS)


def _counted(session: Session, counts: _Counts) -> Iterator[ShownError]:
    for code, number, phase, app, count, first, last in session.execute(counts):
        yield str(code), number, phase, app, count, _distinct((first, last))


def _standing(session: Session, wanted: JobFilter) -> _Counts:
    same = (Job.error_code, Job.error_number, Job.phase, App.name)
    jobs = func.count()
    return (
        select(*same, jobs, func.min(Device.name), func.max(Device.name))
        .join(Device, Device.id == Job.device_id)
        .join(App, App.id == Job.app_id)
        # As a rule few jobs have an error.
        .where(Job.error_code.is_not(None), *conditions(session, wanted, one_by_one=True))
        .group_by(*same)
        .order_by(jobs.desc(), *same)
        .limit(_SHOWN_ERRORS)
    )


def _reported(session: Session, wanted: JobFilter) -> _Counts:
    same = (ReportRow.error_code, ReportRow.error_number, ReportRow.error_phase, App.name)
    jobs = func.count(ReportRow.job_id.distinct())
    return (
        select(*same, jobs, func.min(Device.name), func.max(Device.name))
        .join(Job, Job.id == ReportRow.job_id)
        .join(Device, Device.id == Job.device_id)
        .join(App, App.id == Job.app_id)
        .where(ReportRow.error_code.is_not(None), *conditions(session, wanted, past=True))
        .group_by(*same)
        .order_by(jobs.desc(), *same)
        .limit(_SHOWN_ERRORS)
    )


def known_error(slug: str) -> ErrorCode | None:
    """The row of the error table; None for an error that a newer device knows and this side does not."""
    try:
        return ErrorCode.from_slug(slug)
    except KeyError:
        return None


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
