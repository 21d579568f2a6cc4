"""The errors of the whole fleet or an app: numbers from the tallies, and for each error a device or two to look at."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from contract.phases import Phase
from control.answers.tallied import Tallied
from control.database.tables import App, Device, Job, JobTally
from control.tallies.standings import HAS_MOVED_SINCE, IS_SOMEWHERE

#: What is shown of an error: its code, number and phase, the app, how many jobs have it, and devices that do.
ShownError: TypeAlias = tuple[str, int | None, Phase | None, str, int, tuple[str, ...]]

#: The app's id, the code, the number and the phase.
_Error: TypeAlias = tuple[Any, ...]

_ERROR: Final = ("app_id", "error_code", "error_number", "phase")


def tallied_errors(session: Session, tallied: Tallied, limit: int) -> Iterator[ShownError]:
    """The errors of what is meant, the commonest first, `limit` of them at most."""
    found = _counts(session, tallied, limit)
    devices = _examples(session, {row.app_id for row in found})
    names = _names(session, {device for row in found for device in devices[_error(row)]})
    for row in found:
        shown = sorted(names[device] for device in devices[_error(row)])
        ends = dict.fromkeys((shown[0], shown[-1])) if shown else ()
        yield row.error_code, row.error_number, row.phase, row.app, row.number_of_jobs, tuple(ends)


def _error(row: Row[*tuple[Any, ...]]) -> _Error:
    return tuple(getattr(row, name) for name in _ERROR)


def _counts(session: Session, tallied: Tallied, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    standings = tallied.standings
    same = [standings.c[name] for name in _ERROR]
    jobs = cast(func.sum(standings.c.jobs), BigInteger).label("number_of_jobs")
    counts = (
        select(*same, App.name.label("app"), jobs)
        .join(App, App.id == standings.c.app_id)
        .where(_is_there(standings.c.error_code), *tallied.wanted)
        .group_by(*same, App.name)
        .having(jobs > 0)
        .order_by(jobs.desc(), *same[1:], App.name)
        .limit(limit)
    )
    return session.execute(counts).all()


def _examples(session: Session, app_ids: Collection[str]) -> Mapping[_Error, set[str]]:
    """The first and the last device, by id, in each place of these apps where there is an error."""
    found: defaultdict[_Error, set[str]] = defaultdict(set)
    for row in (*_counted_examples(session, app_ids), *_moved_examples(session, app_ids)):
        found[_error(row)] |= {row.first, row.last} - {None}
    return found


def _counted_examples(session: Session, app_ids: Collection[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    there = (
        Job.error_code.is_not(None),
        Job.app_id == JobTally.app_id,
        Job.tallied_as == JobTally.place,
        # It may have moved since it was counted there.
        Job.error_code == JobTally.error_code,
    )
    ends = [select(end(Job.device_id)).where(*there).scalar_subquery() for end in (func.min, func.max)]
    columns = [getattr(JobTally, name) for name in _ERROR]
    places = select(*columns, ends[0].label("first"), ends[1].label("last"))
    return session.execute(places.where(JobTally.app_id.in_(app_ids), JobTally.error_code.is_not(None))).all()


def _moved_examples(session: Session, app_ids: Collection[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    columns: list[InstrumentedAttribute[Any]] = [getattr(Job, name) for name in _ERROR]
    ends = (func.min(Job.device_id).label("first"), func.max(Job.device_id).label("last"))
    moved = (HAS_MOVED_SINCE, IS_SOMEWHERE, Job.app_id.in_(app_ids), _is_there(Job.error_code))
    return session.execute(select(*columns, *ends).where(*moved).group_by(*columns)).all()


def _is_there(error_code: ColumnElement[str | None] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """Whether there is an error; no index of errors serves this: few jobs have moved, and these have an index, too."""
    return func.nullif(error_code, "").is_not(None)


def _names(session: Session, device_ids: Iterable[str]) -> Mapping[str, str]:
    return dict(session.execute(select(Device.id, Device.name).where(Device.id.in_(sorted(device_ids)))).all())
