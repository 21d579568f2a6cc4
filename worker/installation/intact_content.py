"""Content that is whole right before the command runs, fetched again where it is not (behaviour B-57)."""

from collections.abc import Callable

import structlog

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.jobs import JobRef
from contract.policy import Policy
from worker.content.fetching import fetch_content
from worker.content.manifest import spoiled_files
from worker.content.unpacking import unpack_content
from worker.device import Device

_log = structlog.get_logger(__name__)


def make_intact(device: Device, ref: JobRef, policy: Policy, on_bytes: Callable[[int, int], None]) -> str:
    """See that the unpacked content is as it was published.

    Files that security software removed or changed are brought back once: from Incoming, and from the content store
    where Incoming is gone or changed, too.

    Returns:
        What was wrong and has been put right; empty where nothing was.

    Raises:
        PhaseError: CONTENT_VANISHED: they are gone again already; or what fetching and unpacking raise.
        UnavailableError: Control plane or content store do not answer.
    """
    folder, manifest = device.folders.content(policy), device.folders.content_manifest(policy)
    spoiled = spoiled_files(folder, manifest)
    if not spoiled:
        return ""
    _log.warning("unpacked content has changed; it is fetched again", files=spoiled.files, detail=spoiled.words)
    _fetch_again(device, ref, policy, on_bytes)
    still = spoiled_files(folder, manifest)
    if still:
        raise PhaseError(ErrorCode.CONTENT_VANISHED, detail=still.words, place=str(folder))
    return f"the content had to be unpacked again: {spoiled.words}"


def _fetch_again(device: Device, ref: JobRef, policy: Policy, on_bytes: Callable[[int, int], None]) -> None:
    try:
        fetch_content(device, ref, policy, on_bytes)
    except PhaseError as error:
        if error.code is not ErrorCode.CONTENT_CORRUPT:
            raise
        # What was wrong in Incoming has been deleted; this time all of it comes from the store.
        fetch_content(device, ref, policy, on_bytes)
    unpack_content(device, ref, policy)
