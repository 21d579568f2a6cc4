"""Phase 7: verify, decrypt, unzip: Incoming -> Staging -> IMECache (behaviour B-45, C-16)."""

from contract.error_codes import ErrorCode
from contract.errors import PackageError, PhaseError
from storage.intunewin.blob import decrypt_blob
from storage.intunewin.metadata import EncryptionInfo
from storage.intunewin.unzip import UnzipSummary, unzip
from worker.content.download import DISK_FULL, disk_error
from worker.folders import remove
from worker.phases.context import PhaseContext, PhaseResult, done


def unpack(context: PhaseContext) -> PhaseResult:
    """Make the folder the command runs in, from scratch: what an earlier attempt or others did to it is gone.

    Raises:
        UnavailableError: The content key is to be asked for again and the control plane does not answer.
        PhaseError: CONTENT_CORRUPT, UNZIP_FAILED, DISK_EXHAUSTED or CONTENT_KEY_REFUSED.
    """
    try:
        summary = _unpack(context)
    except OSError as error:
        raise disk_error(error, context.policy.content_folder_name) from error
    finally:
        _clear_staging(context)
    return done(context.findings, f"{summary.files} files, {summary.bytes} bytes", bytes_done=summary.bytes)


def _unpack(context: PhaseContext) -> UnzipSummary:
    folders, policy = context.device.folders, context.policy
    _clear_staging(context)
    _decrypt(context)
    try:
        summary = unzip(folders.staged_zip(policy), folders.staged_tree(policy))
    except PackageError as error:
        raise _write_failure(error) or _failure(ErrorCode.UNZIP_FAILED, error) from error
    remove(folders.content(policy))
    folders.staged_tree(policy).rename(folders.content(policy))
    return summary


def _decrypt(context: PhaseContext) -> None:
    folders, policy = context.device.folders, context.policy
    incoming = folders.incoming_file(policy)
    encryption = _encryption(context)
    try:
        decrypt_blob(incoming, folders.staged_zip(policy), encryption=encryption, plain_size=policy.content.plain_size)
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


def _encryption(context: PhaseContext) -> EncryptionInfo:
    content = context.policy.content
    return EncryptionInfo(
        encryption_key=_key(context),
        mac_key=content.mac_key,
        initialization_vector=content.initialization_vector,
        mac=content.mac,
        file_digest=content.plain_digest,
    )


def _key(context: PhaseContext) -> bytes:
    keys, ref = context.device.keys, context.ref
    known = keys.get(ref)
    if known is not None:
        return known
    info = context.device.uplink.content_info(ref)
    return keys.open(ref, info, digest=context.policy.content.digest)


def _clear_staging(context: PhaseContext) -> None:
    folders, policy = context.device.folders, context.policy
    remove(folders.staged_zip(policy))
    remove(folders.staged_tree(policy))
