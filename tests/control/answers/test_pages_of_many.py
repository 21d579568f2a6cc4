"""A list is the same whether its entries are few, and put in order, or many, and looked for in order."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from control.answers import jobs, pages
from control.answers.job_filter import JobFilter
from control.answers.pages import PageRequest
from control.answers.rollouts import rollout_devices
from control.database.session import Database
from control.database.tables import RolloutDevice
from control.views.page import Page
from tests.bench import big_fleet
from tests.bench.big_fleet import Size
from tests.bench.big_rollouts import HELD, THROUGH
from tests.bench.database import MOMENT
from tests.control.filled_database import filled_database, undone

_DEVICES = 60
#: Entries of one page, less than there are of anything.
_PAGE = 17

_List = Callable[[Session, PageRequest], Page[Any]]


def _devices(rollout: str, ring: str | None = None) -> _List:
    return lambda session, page: rollout_devices(session, rollout, MOMENT, page, ring)


def _jobs(**wanted: Any) -> _List:
    return lambda session, page: jobs.list_jobs(session, JobFilter(**wanted), MOMENT, page)


_LISTS: dict[str, _List] = {
    "devices of a rollout": _devices(HELD),
    "devices of a ring": _devices(HELD, "all"),
    "jobs of the fleet": _jobs(everything=True),
    "jobs of an app": _jobs(app=big_fleet.app_name(0)),
    "jobs of a rollout": _jobs(rollout=THROUGH),
    "jobs of a group": _jobs(group=big_fleet.EVERYONE),
    "jobs of a rollout in a group": _jobs(rollout=HELD, group=big_fleet.EVERYONE),
    "jobs of a rollout that are done": _jobs(rollout=THROUGH, state=JobState.FINISHED),
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a few devices and two rollouts under way."""
    size = Size(devices=_DEVICES, has_rollouts=True)
    with filled_database(request, tmp_path_factory.mktemp("pages"), size) as database:
        yield database


@pytest.fixture
def session(filled: Database) -> Iterator[Session]:
    """A transaction in which some devices have left a rollout; nothing of it stays."""
    gone = [big_fleet.device_id(number) for number in range(3)]
    with undone(filled) as session:
        session.execute(update(RolloutDevice).where(RolloutDevice.device_id.in_(gone)).values(left_at=MOMENT.now))
        yield session


def _all(session: Session, read: _List) -> list[Any]:
    """What a list has, page by page."""
    page = read(session, PageRequest(limit=_PAGE))
    found = list(page.items)
    while page.next_cursor is not None:
        page = read(session, PageRequest(limit=_PAGE, cursor=page.next_cursor))
        found += page.items
    return found


@pytest.mark.parametrize("name", _LISTS)
def test_few_and_many_are_listed_alike(session: Session, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    few = _all(session, _LISTS[name])
    for module in (pages, jobs):
        monkeypatch.setattr(module, "FEW", _PAGE)
    assert len(few) > _PAGE
    assert _all(session, _LISTS[name]) == few
