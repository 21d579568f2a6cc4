"""Phase 6: the encrypted content into Incoming."""

from pathlib import Path

from worker.content.download import check_digest, fetch, size_of
from worker.phases.context import PhaseContext, PhaseResult, done


def download(context: PhaseContext) -> PhaseResult:
    """Fetch the content, going on with what an earlier attempt left; what is there and right is kept.

    Raises:
        UnavailableError: Control plane or content store do not answer.
        PhaseError: CONTENT_KEY_REFUSED, DISK_EXHAUSTED or CONTENT_CORRUPT.
    """
    content = context.policy.content
    target = context.device.folders.incoming_file(context.policy)
    if size_of(target) == content.size:
        check_digest(target, content.digest)
        return done(context.findings, "already in the cache")
    fetched = _fetch(context, target)
    check_digest(target, content.digest)
    findings = context.findings.model_copy(
        update={"bytes_downloaded": context.findings.bytes_downloaded + fetched},
    )
    kept = content.size - fetched
    summary = f"{fetched} bytes fetched" + (f", {kept} kept from before" if kept > 0 else "")
    return done(findings, summary, bytes_done=fetched)


def _fetch(context: PhaseContext, target: Path) -> int:
    device, content = context.device, context.policy.content
    info = device.uplink.content_info(context.ref)
    device.keys.open(context.ref, info, digest=content.digest)
    return fetch(device.source, info.url, target, size=content.size, on_progress=context.on_bytes)
