"""Content keys: in memory only, for as long as their attempt lasts."""

from contract.error_codes import ErrorCode
from contract.errors import PhaseError, TrustError
from contract.jobs import JobRef
from contract.sealing import unseal
from contract.uplink import ContentInfo, content_key_context
from worker.identity import Identity

#: AES-256.
KEY_BYTES = 32


class ContentKeys:
    """The opened keys of the attempts under way; never written anywhere."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._keys: dict[JobRef, bytes] = {}

    def open(self, ref: JobRef, info: ContentInfo, *, digest: str) -> bytes:
        """Open and keep the key of an attempt's content.

        Raises:
            PhaseError: CONTENT_KEY_REFUSED: it was sealed to another key, for another job or content, or is none.
        """
        context = content_key_context(ref.job_id, self._identity.device_id, digest)
        try:
            key = unseal(info.sealed_key, self._identity.unsealer, context)
        except TrustError as error:
            raise PhaseError(ErrorCode.CONTENT_KEY_REFUSED, detail=str(error)) from error
        if len(key) != KEY_BYTES:
            raise PhaseError(ErrorCode.CONTENT_KEY_REFUSED, detail=f"it has {len(key)} bytes, expected {KEY_BYTES}")
        self._keys[ref] = key
        return key

    def get(self, ref: JobRef) -> bytes | None:
        """The key of an attempt; None where it is to be asked for, as after a restart."""
        return self._keys.get(ref)

    def forget(self, ref: JobRef) -> None:
        """Drop the key of an attempt that has ended."""
        self._keys.pop(ref, None)
