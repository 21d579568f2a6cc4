"""Phase 11: the report, into the outbox and from there to the control plane (behaviour B-61)."""

from datetime import timedelta
from typing import Final

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import PhaseOutcome, PhaseRecord, Report
from contract.states import Outcome
from worker.device import Device
from worker.findings import Findings
from worker.ledger.database import Durability
from worker.phases.context import PhaseContext, PhaseResult, done

#: The second thread leaves a report alone for so long: the phase delivers it, and an answer does not take longer.
OWN_TRY: Final = timedelta(minutes=2)


def report(context: PhaseContext) -> PhaseResult:
    """Write the report down, then deliver it at once if the control plane answers; else it waits in the outbox."""
    outbox = context.device.ledger.outbox
    written = _written(context)
    # After a power cut the phase is run again, and writes it again.
    outbox.put(written, due_at=written.ended_at + OWN_TRY, durability=Durability.SOON)
    try:
        context.device.uplink.report(written)
    except OutriderError as error:
        outbox.put(written, due_at=written.ended_at, durability=Durability.SOON)
        return done(context.findings, f"{ErrorCode.REPORT_UNDELIVERED.sentence} {error}")
    outbox.remove(written)
    return done(context.findings, "delivered")


def _written(context: PhaseContext) -> Report:
    """The report, this very phase among its phases: nothing else tells of it."""
    report = report_of(context.device, context.ref, context.findings)
    took = max(0.0, (report.ended_at - context.started_at).total_seconds())
    own = PhaseRecord(
        phase=Phase.REPORT,
        outcome=PhaseOutcome.DONE,
        started_at=context.started_at,
        ended_at=report.ended_at,
        duration_seconds=took,
        summary="written; the time ends where it is sent",
    )
    return report.model_copy(update={"phases": (*report.phases, own)})


def report_of(device: Device, ref: JobRef, findings: Findings) -> Report:
    """The report of an attempt as the ledger knows it now."""
    now = device.clock.now()
    return Report(
        job_id=ref.job_id,
        device_id=device.identity.device_id,
        generation=ref.generation,
        attempt=ref.attempt,
        app_id=findings.app_id,
        app_name=findings.app_name,
        revision=findings.revision,
        intent=findings.intent,
        outcome=findings.outcome or Outcome.FAILED,
        desired_state=findings.desired_state,
        detection_state=findings.detection_state,
        applicability=findings.applicability,
        compliance_state=findings.compliance_state,
        enforcement_state=findings.enforcement_state,
        error=findings.error,
        raw_exit_code=findings.raw_exit_code,
        output_tail=findings.output_tail,
        bytes_downloaded=findings.bytes_downloaded,
        phases=device.ledger.attempts.records(ref),
        started_at=device.ledger.attempts.opened_at(ref) or now,
        ended_at=now,
        next_action=findings.next_action,
    )
