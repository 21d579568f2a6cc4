"""Ending an attempt that waits, because an operator cancelled its job: at once, not when its chain wakes."""

import structlog

from contract.states import Outcome
from contract.uplink import JobOrder
from worker.device import Device
from worker.phases.report import report_of
from worker.rules.states import states

_log = structlog.get_logger(__name__)


def end_waiting_attempt(device: Device, order: JobOrder) -> None:
    """Close the waiting attempt that an order concerns and put its report into the outbox.

    The chain that waits is void when it wakes. An attempt that runs is left to the engine.
    """
    now = device.clock.now()
    waiting = device.ledger.attempts.close_waiting(order.job_id, order.generation, now=now)
    if waiting is None:
        return
    ref, found = waiting
    judged = states(Outcome.CANCELLED, found.detection_state, found.error)
    findings = found.model_copy(
        update={
            "outcome": Outcome.CANCELLED,
            "compliance_state": judged.compliance,
            "enforcement_state": judged.enforcement,
            "next_action": None,
        }
    )
    device.ledger.outbox.put(report_of(device, ref, findings), due_at=now)
    state = device.ledger.apps.state(findings.app_id)
    if state is not None and state.job_id == ref.job_id:
        cancelled = {"attempt": ref.attempt, "outcome": Outcome.CANCELLED, "next_action": None, "updated_at": now}
        device.ledger.apps.set_state(state.model_copy(update=cancelled))
    _log.info("a waiting job was cancelled", job=ref.job_id, app=findings.app_name)
