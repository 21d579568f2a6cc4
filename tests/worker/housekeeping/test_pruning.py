"""A device that runs for years keeps a bounded memory."""

from datetime import timedelta

from contract.jobs import JobRef
from contract.phases import PHASES
from contract.uplink import JobOrder, OrderKind
from tests.worker.rig import Rig
from worker.housekeeping.pruning import INTERVAL_SECONDS, KEPT, PruningDuty

DAY = timedelta(seconds=INTERVAL_SECONDS)
#: More than twice as long as anything is kept.
DAYS = 200
#: The day that is over, and the newest attempt, which is always kept.
MOST = KEPT.days + 2


def _is_there_already(rig: Rig) -> JobRef:
    return rig.new_job(app_id="editor", expires_at=rig.clock.now() + DAY)


def _has_no_valid_policy(rig: Rig) -> JobRef:
    return rig.new_job(expires_at=rig.clock.now())


def _is_cancelled(rig: Rig) -> JobRef:
    ref = rig.new_job()
    order = JobOrder(job_id=ref.job_id, generation=1, kind=OrderKind.CANCEL)
    assert rig.device.ledger.orders.put(order, now=rig.clock.now())
    return ref


def _rows(rig: Rig, table: str) -> int:
    return len(rig.device.ledger.database.rows(f"SELECT * FROM {table}"))


def test_whatever_became_of_its_jobs_a_device_forgets_them_after_ninety_days(rig: Rig) -> None:
    kinds = (_is_there_already, _has_no_valid_policy, _is_cancelled)
    (rig.target / "editor").touch()
    duty = PruningDuty(rig.device.ledger, rig.device.folders, rig.clock)
    for day in range(DAYS):
        rig.run(kinds[day % len(kinds)](rig))
        rig.clock.advance(DAY)
        duty.turn()
    kept = {table: _rows(rig, table) for table in ("jobs", "attempts", "phases", "policies", "orders", "holds")}
    assert MOST - 2 <= kept["attempts"] <= MOST, kept
    assert kept["phases"] <= MOST * len(PHASES), kept
    assert max(kept[table] for table in ("jobs", "policies", "orders", "holds")) <= MOST, kept
    assert min(kept.values()) > 0, kept
    assert len(rig.uplink.reports) == DAYS
