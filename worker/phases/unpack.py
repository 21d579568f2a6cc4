"""Phase 7: verify, decrypt, unzip: Incoming -> Staging -> IMECache (behaviour B-45, C-16)."""

from worker.content.unpacking import unpack_content
from worker.phases.context import PhaseContext, PhaseResult, done


def unpack(context: PhaseContext) -> PhaseResult:
    """Make the folder the command runs in, from scratch.

    Raises:
        UnavailableError: The content key is to be asked for again and the control plane does not answer.
        PhaseError: CONTENT_CORRUPT, UNZIP_FAILED, DISK_EXHAUSTED or CONTENT_KEY_REFUSED.
    """
    summary = unpack_content(context.device, context.ref, context.policy)
    return done(context.findings, f"{summary.files} files, {summary.bytes} bytes", bytes_done=summary.bytes)
