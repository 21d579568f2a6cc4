"""A ledger that devices use one after the other: each finds its own rows, and nobody else's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from contract.jobs import JobRef
from contract.phases import Phase
from contract.uplink import JobOrder, OrderKind
from deploy.simulation.desk import LedgerDesk, Memory

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def desk() -> Iterator[LedgerDesk]:
    made = LedgerDesk()
    yield made
    made.close()


def ref() -> JobRef:
    return JobRef(job_id=str(uuid4()), generation=1, attempt=1)


def test_a_device_finds_what_it_left_and_not_what_others_did(desk: LedgerDesk) -> None:
    mine, theirs, job, other = Memory(), Memory(), ref(), ref()
    with desk.used_by(mine):
        desk.ledger.attempts.begin(Phase.POLL, job, now=NOW)
        order = JobOrder(job_id=job.job_id, generation=1, kind=OrderKind.CANCEL)
        desk.ledger.orders.put(order, now=NOW)
    with desk.used_by(theirs):
        assert desk.ledger.attempts.newest_opened_at() is None
        assert not desk.ledger.orders.cancels(job)
        desk.ledger.attempts.begin(Phase.POLL, other, now=NOW)
    with desk.used_by(mine):
        assert desk.ledger.attempts.opened_at(job) == NOW
        assert desk.ledger.orders.cancels(job)
        assert not desk.ledger.attempts.has_begun(Phase.POLL, other)


def test_what_was_changed_and_removed_stays_so(desk: LedgerDesk) -> None:
    memory, job = Memory(), ref()
    with desk.used_by(memory):
        desk.ledger.attempts.begin(Phase.POLL, job, now=NOW)
    with desk.used_by(memory):
        desk.ledger.database.execute("DELETE FROM attempts")
    with desk.used_by(memory):
        assert desk.ledger.attempts.newest_opened_at() is None
        assert desk.ledger.attempts.has_begun(Phase.POLL, job)


def test_a_turn_that_fails_leaves_what_it_wrote(desk: LedgerDesk) -> None:
    memory, job = Memory(), ref()

    def fail() -> None:
        with desk.used_by(memory):
            desk.ledger.attempts.begin(Phase.POLL, job, now=NOW)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with desk.used_by(Memory()):
        assert desk.ledger.attempts.newest_opened_at() is None
    with desk.used_by(memory):
        assert desk.ledger.attempts.has_begun(Phase.POLL, job)


def test_an_idle_device_that_remembers_nothing_keeps_nothing(desk: LedgerDesk) -> None:
    memory = Memory()
    with desk.used_by(memory):
        pass
    assert memory.packed == b""
