"""A disk that is full, wherever the ledger is to be written: the agent waits, says why, and goes on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contract.phases import PHASES, Phase
from contract.report import WaitReason
from contract.states import Outcome
from tests.worker.rig import Rig
from worker.ledger.database import Durability

#: No phase writes the ledger more often.
MOST_WRITES = 8


@contextmanager
def _full_after(rig: Rig, writes: int) -> Iterator[Callable[[], bool]]:
    """Let so many transactions through and then none; the answer is whether one was refused."""
    database: Any = rig.device.ledger.database
    transaction, left, refused = database.transaction, writes, False

    @contextmanager
    def limited(*durability: Durability) -> Iterator[Any]:
        nonlocal left, refused
        if left == 0:
            refused = True
            raise sqlite3.OperationalError("database or disk is full")
        left -= 1
        with transaction(*durability) as connection:
            yield connection

    database.transaction = limited
    try:
        yield lambda: refused
    finally:
        database.transaction = transaction


@pytest.mark.faults
# An installer whose pid could not be written down is let go of, and found again by its mark.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("phase", PHASES)
def test_a_full_disk_puts_any_phase_off_and_nothing_is_done_twice(rig: Rig, phase: Phase) -> None:
    for writes in range(MOST_WRITES):
        ref = rig.new_job()
        (rig.target / "editor").unlink(missing_ok=True)
        installs = rig.installs()
        steps = rig.run(ref, until=PHASES[phase.position - 2]) if phase is not Phase.POLL else []
        assert all(handover.retry_in_seconds is None for _, handover in steps)
        with _full_after(rig, writes) as refused:
            first = rig.engine.run(phase, ref)
        if not refused():
            return
        assert first.retry_in_seconds is not None
        follower: Phase | None = phase
        turn = 1
        while follower is not None:
            follower, turn = rig.engine.run(follower, ref, turn=turn).go_on_at, 0
        assert rig.installs() == installs + 1
        assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED
    pytest.fail(f"{phase} writes more often than thought")


def test_the_wait_is_told_with_its_reason(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.DETECT)
    rig.progress.drain()
    with _full_after(rig, 1):
        handover = rig.engine.run(Phase.APPLICABILITY, ref)
    told = max(rig.progress.drain(), key=lambda item: item.sequence).waiting
    assert told is not None
    assert (told.reason, told.detail) == (WaitReason.LEDGER, "database or disk is full")
    assert (told.at - rig.clock.now()).total_seconds() == handover.retry_in_seconds
