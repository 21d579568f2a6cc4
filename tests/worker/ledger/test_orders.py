from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseOutcome, PhaseRecord
from contract.uplink import JobOrder, OrderKind
from worker.findings import Findings
from worker.ledger.attempts import PhaseEnd
from worker.ledger.ledger import Ledger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB_ID = str(uuid4())
CANCEL = JobOrder(job_id=JOB_ID, generation=2, kind=OrderKind.CANCEL)
STOP = JobOrder(job_id=JOB_ID, generation=2, kind=OrderKind.STOP)

_VOID = PhaseEnd(
    PhaseRecord(phase=Phase.POLL, outcome=PhaseOutcome.VOID, started_at=NOW, ended_at=NOW, duration_seconds=0), None
)


def _ref(generation: int) -> JobRef:
    return JobRef(job_id=JOB_ID, generation=generation, attempt=1)


def test_nothing_is_ordered_of_a_job_nobody_spoke_of(ledger: Ledger) -> None:
    assert not ledger.orders.cancels(_ref(1))
    assert not ledger.orders.stops(_ref(1))


def test_an_order_concerns_its_generation_and_older_ones_and_never_a_newer_one(ledger: Ledger) -> None:
    ledger.orders.put(STOP, now=NOW)
    assert [ledger.orders.cancels(_ref(generation)) for generation in (1, 2, 3)] == [True, True, False]
    assert [ledger.orders.stops(_ref(generation)) for generation in (1, 2, 3)] == [True, True, False]


def test_a_cancel_does_not_stop(ledger: Ledger) -> None:
    ledger.orders.put(CANCEL, now=NOW)
    assert ledger.orders.cancels(_ref(2))
    assert not ledger.orders.stops(_ref(2))


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [
        (CANCEL, CANCEL, CANCEL),
        (CANCEL, STOP, STOP),
        (STOP, CANCEL, STOP),
        (STOP, CANCEL.model_copy(update={"generation": 3}), CANCEL.model_copy(update={"generation": 3})),
        (CANCEL, STOP.model_copy(update={"generation": 1}), CANCEL),
    ],
)
def test_the_newer_and_stronger_order_stands(
    ledger: Ledger, known: JobOrder, new: JobOrder, expected: JobOrder
) -> None:
    assert ledger.orders.put(known, now=NOW)
    assert ledger.orders.put(new, now=NOW) is (expected == new and known != new)
    assert ledger.orders.get(JOB_ID) == expected


def test_an_old_order_is_forgotten_with_its_job_and_not_before(ledger: Ledger) -> None:
    later = NOW + timedelta(seconds=1)
    ledger.orders.put(STOP, now=NOW)
    ledger.attempts.begin(Phase.POLL, _ref(2), now=NOW)
    ledger.orders.prune(later)
    assert ledger.orders.get(JOB_ID) == STOP
    # Of another job the newest attempt of all is remembered.
    ledger.attempts.begin(Phase.POLL, JobRef(job_id=str(uuid4()), generation=1, attempt=1), now=later)
    ledger.attempts.end(_ref(2), _VOID, Findings(), closes=True)
    ledger.attempts.prune(later)
    ledger.orders.prune(NOW)
    assert ledger.orders.get(JOB_ID) == STOP
    ledger.orders.prune(later)
    assert ledger.orders.get(JOB_ID) is None
