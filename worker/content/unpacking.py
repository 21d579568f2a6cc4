"""The way of a content on the device: Incoming -> Staging -> IMECache (behaviour B-45, C-16)."""

from contract.error_codes import ErrorCode
from contract.errors import PackageError, PhaseError
from contract.jobs import JobRef
from contract.policy import Policy
from storage.intunewin.blob import decrypt_blob
from storage.intunewin.metadata import EncryptionInfo
from storage.intunewin.unzip import UnzipSummary, unzip
from worker.content.download import DISK_FULL, disk_error
from worker.content.manifest import write_manifest
from worker.device import Device
from worker.folders import remove
from worker.narration.narrate import narrate
from worker.narration.steps import Step

_OWNER_ONLY = 0o700


def unpack_content(device: Device, ref: JobRef, policy: Policy) -> UnzipSummary:
    """Make the folder the command runs in, from scratch: what an earlier attempt or others did to it is gone.

    Raises:
        UnavailableError: The content key is to be asked for again and the control plane does not answer.
        PhaseError: CONTENT_CORRUPT, UNZIP_FAILED, DISK_EXHAUSTED or CONTENT_KEY_REFUSED.
    """
    try:
        _clear_staging(device, policy)
        _decrypt(device, ref, policy)
        return _unzip(device, policy)
    except OSError as error:
        raise disk_error(error, policy.content_folder_name) from error
    finally:
        _clear_staging(device, policy)


def _unzip(device: Device, policy: Policy) -> UnzipSummary:
    folders = device.folders
    narrate(Step.UNZIPPING, staging=str(folders.staged_zip(policy)), cache=str(folders.content(policy)))
    try:
        summary = unzip(folders.staged_zip(policy), folders.staged_tree(policy))
        write_manifest(folders.staged_zip(policy), folders.content_manifest(policy))
    except PackageError as error:
        raise _write_failure(error) or _failure(ErrorCode.UNZIP_FAILED, error) from error
    remove(folders.content(policy))
    # The way to it may be open to users that other apps were installed for.
    folders.staged_tree(policy).chmod(_OWNER_ONLY)
    folders.staged_tree(policy).rename(folders.content(policy))
    return summary


def _decrypt(device: Device, ref: JobRef, policy: Policy) -> None:
    incoming = device.folders.incoming_file(policy)
    encryption = _encryption(device, ref, policy)
    plain, size = device.folders.staged_zip(policy), policy.content.plain_size
    try:
        decrypt_blob(incoming, plain, encryption=encryption, plain_size=size)
    except PackageError as error:
        if error.code is ErrorCode.PACKAGE_WRITE_FAILED:
            raise _write_failure(error) or _failure(ErrorCode.CLIENT_ERROR, error) from error
        # It is not what was published: the next attempt fetches it again.
        remove(incoming)
        raise _failure(ErrorCode.CONTENT_CORRUPT, error) from error


def _write_failure(error: PackageError) -> PhaseError | None:
    """DISK_EXHAUSTED where the disk is full or known to be too small; None where the system refused otherwise."""
    if error.code is not ErrorCode.PACKAGE_WRITE_FAILED:
        return None
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno not in DISK_FULL:
        return None
    return _failure(ErrorCode.DISK_EXHAUSTED, error)


def _failure(code: ErrorCode, error: PackageError) -> PhaseError:
    return PhaseError(code, detail=error.detail or str(error), place=error.place)


def _encryption(device: Device, ref: JobRef, policy: Policy) -> EncryptionInfo:
    content = policy.content
    return EncryptionInfo(
        encryption_key=_key(device, ref, policy),
        mac_key=content.mac_key,
        initialization_vector=content.initialization_vector,
        mac=content.mac,
        file_digest=content.plain_digest,
    )


def _key(device: Device, ref: JobRef, policy: Policy) -> bytes:
    known = device.keys.get(ref)
    if known is not None:
        return known
    info = device.uplink.content_info(ref)
    return device.keys.open(ref, info, digest=policy.content.digest)


def _clear_staging(device: Device, policy: Policy) -> None:
    remove(device.folders.staged_zip(policy))
    remove(device.folders.staged_tree(policy))
