"""Counts of a rollout that rest on what was noted of its devices are those of all devices, whatever happens."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from control.database.session import Database
from control.database.tables import Device, Job, Rollout, RolloutDevice
from control.rollouts.counts import RingCounts, Standing, count
from control.rollouts.lookup import find_rollout
from control.rollouts.results import load_counts, load_results
from control.tallies.checking import recount
from control.tallies.counting import count_batch
from tests.bench import big_fleet
from tests.bench.big_rollouts import REVISION, UNDER_WAY
from tests.control.filled_database import filled_database, undone
from tests.control.job_histories import SIZE, Step, handing_back, moving, replacing

_ONLINE_SINCE = big_fleet.NOW - timedelta(hours=1)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def rolled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with two rollouts under way, on each device."""
    size = replace(SIZE, has_rollouts=True)
    with filled_database(request, tmp_path_factory.mktemp("rollouts"), size) as database:
        yield database


def by_each(session: Session, rollout: Rollout) -> tuple[RingCounts, ...]:
    """The counts, by looking at every device."""
    rings = len(rollout.spec["rings"])
    return count(((result, 1) for _, result in load_results(session, rollout, _ONLINE_SINCE)), rings)


def _changing(**values: Any) -> st.SearchStrategy[Step]:
    """A device's row in a rollout changes."""

    def step(rollout: str, device: int) -> Step:
        own = (RolloutDevice.rollout_id == rollout, RolloutDevice.device_id == big_fleet.device_id(device))
        return lambda session: session.execute(update(RolloutDevice).where(*own).values(values))

    return st.builds(step, st.sampled_from(UNDER_WAY), st.integers(0, SIZE.devices - 1))


def _seen(device: int, last_seen_at: datetime) -> Step:
    own = Device.id == big_fleet.device_id(device)
    return lambda session: session.execute(update(Device).where(own).values(last_seen_at=last_seen_at))


def _rolling_back(rollout: str) -> Step:
    """Another revision takes the rollout's place."""
    own = Rollout.id == rollout
    return lambda session: session.execute(update(Rollout).where(own).values(rollback_revision=REVISION - 1))


STEPS = st.lists(
    st.one_of(
        moving(),
        replacing(revisions=(REVISION - 1, REVISION)),
        handing_back(),
        st.builds(lambda limit: lambda session: count_batch(session, limit), st.integers(1, 5)),
        _changing(admitted_at=big_fleet.NOW),
        _changing(admitted_at=None),
        _changing(left_at=big_fleet.NOW),
        _changing(left_at=None),
        st.builds(
            _seen, st.integers(0, SIZE.devices - 1), st.sampled_from((big_fleet.NOW, big_fleet.NOW - timedelta(days=1)))
        ),
        st.builds(_rolling_back, st.sampled_from(UNDER_WAY)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_counts_are_those_of_all_devices_looked_at_one_by_one(rolled: Database, steps: list[Step]) -> None:
    with undone(rolled) as session:
        for step in steps:
            step(session)
            session.expire_all()
            for name in UNDER_WAY:
                rollout = find_rollout(session, name)
                assert load_counts(session, rollout, _ONLINE_SINCE) == by_each(session, rollout)


def noted(session: Session) -> int:
    return session.scalar(select(func.count()).where(RolloutDevice.done_revision == REVISION)) or 0


def done(session: Session) -> int:
    """How many are done, by looking at every device."""
    counts = [by_each(session, find_rollout(session, name)) for name in UNDER_WAY]
    return sum(ring.of(Standing.SUCCEEDED) for rings in counts for ring in rings)


def test_all_that_are_done_are_noted_when_their_jobs_are_counted(rolled: Database) -> None:
    with rolled.transaction() as session:
        session.execute(update(RolloutDevice).values(done_revision=REVISION, admitted_at=big_fleet.NOW))
        session.execute(update(Job).where(Job.is_newest).values(revision=REVISION))
    recount(rolled)
    with rolled.snapshot() as session:
        assert noted(session) == done(session) > 0


def test_a_device_whose_job_fails_anew_is_noted_no_more(rolled: Database) -> None:
    with undone(rolled) as session:
        while count_batch(session):
            pass
        session.execute(update(Job).where(Job.is_newest).values(state="running", outcome=None))
        assert done(session) == 0
        while count_batch(session):
            pass
        assert noted(session) == 0
