"""Words that arrive together: fewer commits than words, each answered as if alone, on both databases."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy import event, func, select

from contract.errors import NotFoundError
from contract.jobs import JobRef
from contract.states import Outcome
from contract.uplink import ProgressBatch
from control.database.tables import Job, PhaseRow, ReportRow
from control.ingest.taken import Taken
from control.ingest.words import Word, checked_word, take_words
from tests.control.plane import Plane, SignedDevice, phase_record, progress_of, report_of

_DEVICES = 12


@pytest.fixture
def sent(either_plane: Plane) -> tuple[Plane, list[tuple[str, JobRef]]]:
    """Devices that were sent a job each."""
    plane = either_plane
    plane.publish()
    token = plane.token(group_id=plane.group("desks"), uses=_DEVICES)
    for number in range(_DEVICES):
        request = SignedDevice(httpx.Client(), f"desk-{number}").enrollment(token)
        with plane.services.database.transaction() as session:
            plane.services.enrollment.enroll(session, request, plane.clock.now(), "")
    plane.assign("desks")
    plane.plan()
    return plane, plane.dispatch()


def together(plane: Plane, words: Sequence[Word]) -> list[Taken | None]:
    with plane.services.database.transaction() as session:
        return take_words(session, words, plane.clock.now())


def outcomes(plane: Plane) -> list[Outcome | None]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Job.outcome)))


def count(plane: Plane, table: type[ReportRow] | type[PhaseRow]) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_reports_and_progress_of_many_devices_are_one_transaction(
    sent: tuple[Plane, list[tuple[str, JobRef]]],
) -> None:
    plane, jobs = sent
    words: list[Word] = []
    for device_id, ref in jobs:
        words.append(checked_word(device_id, ProgressBatch(items=(progress_of(ref, record=phase_record()),))))
        words.append(checked_word(device_id, report_of(ref, device_id)))
    taken = together(plane, words)
    assert [one.known if one else None for one in taken[::2]] == [1] * _DEVICES
    assert [one.new if one else None for one in taken[1::2]] == [True] * _DEVICES
    assert outcomes(plane) == [Outcome.INSTALLED] * _DEVICES
    assert count(plane, PhaseRow) == 1 * _DEVICES


def test_the_same_report_twice_in_one_transaction_is_new_once(sent: tuple[Plane, list[tuple[str, JobRef]]]) -> None:
    plane, ((device_id, ref), *_) = sent
    word = checked_word(device_id, report_of(ref, device_id))
    assert together(plane, [word, word]) == [Taken(new=True), Taken()]
    assert together(plane, [word]) == [Taken()]
    assert count(plane, ReportRow) == 1


def test_reports_of_several_generations_that_come_again_are_known_whatever_comes_with_them(
    sent: tuple[Plane, list[tuple[str, JobRef]]],
) -> None:
    plane, ((device_id, ref), (later_id, later_ref), (new_id, new_ref), *_) = sent
    first = checked_word(device_id, report_of(ref, device_id))
    renewed = later_ref.model_copy(update={"generation": 3})
    later = checked_word(later_id, report_of(renewed, later_id))
    assert together(plane, [first, later]) == [Taken(new=True)] * 2
    new = checked_word(new_id, report_of(new_ref, new_id))
    assert together(plane, [later, first, new]) == [Taken(), Taken(), Taken(new=True)]
    assert together(plane, [later]) == together(plane, [first]) == [Taken()]
    assert count(plane, ReportRow) == 3


def test_a_word_about_anothers_job_is_left_to_be_refused_alone(sent: tuple[Plane, list[tuple[str, JobRef]]]) -> None:
    plane, ((mine, _), (theirs, ref), *_) = sent
    foreign, own = checked_word(mine, report_of(ref, mine)), checked_word(theirs, report_of(ref, theirs))
    assert together(plane, [foreign]) == [None]
    assert outcomes(plane) == [None] * _DEVICES
    with pytest.raises(NotFoundError):
        asyncio.run(plane.services.intake.take(mine, report_of(ref, mine)))
    assert together(plane, [foreign, own]) == [None, Taken(new=True)]


def test_under_load_there_are_fewer_commits_than_reports_and_all_are_stored(
    sent: tuple[Plane, list[tuple[str, JobRef]]],
) -> None:
    plane, jobs = sent
    commits: list[object] = []
    event.listen(plane.services.database.engine, "commit", commits.append)
    intake = plane.services.intake

    async def send() -> list[Taken]:
        return await asyncio.gather(*(intake.take(id_, report_of(ref, id_)) for id_, ref in jobs))

    assert all(taken.new for taken in asyncio.run(send()))
    # The first finds nobody at work; the others arrive while it is being committed.
    assert len(commits) <= 2
    assert outcomes(plane) == [Outcome.INSTALLED] * _DEVICES


def test_a_job_that_somebody_else_has_locked_is_waited_for_by_its_own_device_alone(
    sent: tuple[Plane, list[tuple[str, JobRef]]],
) -> None:
    plane, ((first, locked), (second, free), *_) = sent
    database = plane.services.database
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite locks the whole database")
    words = [checked_word(first, report_of(locked, first)), checked_word(second, report_of(free, second))]
    with database.transaction() as session:
        session.get_one(Job, locked.job_id, with_for_update=True)
        assert together(plane, words) == [None, Taken(new=True)]
