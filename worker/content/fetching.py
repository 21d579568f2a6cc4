"""The encrypted content of a policy into Incoming."""

from collections.abc import Callable

import structlog

from contract.jobs import JobRef
from contract.policy import Policy
from worker.content.download import check_digest, fetch, size_of
from worker.device import Device
from worker.narration.narrate import narrate
from worker.narration.steps import Step

_log = structlog.get_logger(__name__)


def fetch_content(device: Device, ref: JobRef, policy: Policy, on_bytes: Callable[[int, int], None]) -> int | None:
    """Fetch the content, going on with what an earlier attempt left; what is there and right is kept.

    What is left of other revisions of the app goes first: its room may be needed.

    Returns:
        Bytes fetched; None where all of it was there.

    Raises:
        UnavailableError: Control plane or content store do not answer.
        PhaseError: CONTENT_KEY_REFUSED, DISK_EXHAUSTED or CONTENT_CORRUPT.
    """
    _make_room(device, policy)
    content, target = policy.content, device.folders.incoming_file(policy)
    fetched = None
    if size_of(target) != content.size:
        info = device.uplink.content_info(ref)
        device.keys.open(ref, info, digest=content.digest)
        narrate(Step.DOWNLOAD_JOB_CREATED, digest=content.digest, bytes=content.size, expires_at=str(info.expires_at))
        narrate(Step.CONTENT_ARRIVES, path=str(target))
        fetched = fetch(device.source, info.url, target, size=content.size, on_progress=on_bytes)
    check_digest(target, content.digest)
    return fetched


def _make_room(device: Device, policy: Policy) -> None:
    try:
        device.folders.remove_superseded(policy)
    except OSError as error:
        # It is in nobody's way but the disk's, and goes when the app is as desired.
        _log.warning("older content could not be removed", error=error.strerror, place=error.filename)
