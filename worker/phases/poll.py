"""Phase 1: begin an attempt."""

from contract.report import WaitReason
from worker.phases.context import Deferred, PhaseContext, PhaseResult, done

#: From one look at a pending restart to the next.
RESTART_WAIT_SECONDS = 600.0


def poll(context: PhaseContext) -> PhaseResult | Deferred:
    """Begin the attempt; that its generation and attempt are the newest was checked on admission.

    After a hard reboot code nothing is processed before the device has restarted (behaviour 2.7).
    """
    plan, ref = context.device.restarts.plan(), context.ref
    if plan is not None and plan.blocks:
        return Deferred(WaitReason.RESTART_PENDING, RESTART_WAIT_SECONDS, f"asked for by {', '.join(plan.apps)}")
    return done(context.findings, f"generation {ref.generation}, attempt {ref.attempt}")
