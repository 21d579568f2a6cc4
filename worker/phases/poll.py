"""Phase 1: begin an attempt."""

from worker.phases.context import PhaseContext, PhaseResult, done


def poll(context: PhaseContext) -> PhaseResult:
    """Begin the attempt; that its generation and attempt are the newest was checked on admission."""
    ref = context.ref
    return done(context.findings, f"generation {ref.generation}, attempt {ref.attempt}")
