"""Phase 6: the encrypted content into Incoming."""

from worker.content.fetching import fetch_content
from worker.notices.notice import Event
from worker.notices.port import tell
from worker.phases.context import PhaseContext, PhaseResult, done


def download(context: PhaseContext) -> PhaseResult:
    """Fetch the content, going on with what an earlier attempt left; what is there and right is kept.

    Raises:
        UnavailableError: Control plane or content store do not answer.
        PhaseError: CONTENT_KEY_REFUSED, DISK_EXHAUSTED or CONTENT_CORRUPT.
    """
    tell(context.device.notifier, Event.DOWNLOADING, context.policy)
    fetched = fetch_content(context.device, context.ref, context.policy, context.on_bytes)
    if fetched is None:
        return done(context.findings, "already in the cache")
    findings = context.findings.model_copy(
        update={"bytes_downloaded": context.findings.bytes_downloaded + fetched},
    )
    kept = context.policy.content.size - fetched
    summary = f"{fetched} bytes fetched" + (f", {kept} kept from before" if kept > 0 else "")
    return done(findings, summary, bytes_done=fetched)
