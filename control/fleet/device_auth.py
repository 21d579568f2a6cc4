"""Which device signed a request, and whether the request is let in."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract.error_codes import ErrorCode
from contract.errors import RateLimitedError, TrustError
from contract.http_signatures import SignableRequest
from contract.request_verification import REPLAY_WINDOW, verify_request
from control.fleet.known_devices import KnownDevice, KnownDevices
from control.security.nonces import NonceMemory
from control.security.rate_limits import RateLimiter


@dataclass(frozen=True)
class DeviceGate:
    """Lets devices' requests in, each once and not too many; in the event loop, which waits for nobody.

    Attributes:
        devices: Whose requests are let in.
        nonces: What was here already.
        limiter: How many requests a device may send.
    """

    devices: KnownDevices
    nonces: NonceMemory
    limiter: RateLimiter

    async def admit(self, request: SignableRequest, body: bytes) -> KnownDevice:
        """The enrolled device that signed this request.

        Raises:
            TrustError: Nobody enrolled signed it, the device has been retired, or the request was here already.
            RateLimitedError: The device sends too many.
            UnavailableError: The database does not answer.
        """
        device, nonce = await self._authenticate(request, body)
        wait = self.limiter.wait_seconds(device.id)
        if wait:
            raise RateLimitedError(wait, place=device.id)
        if not await self.nonces.is_new(device.id, nonce, REPLAY_WINDOW):
            raise TrustError(ErrorCode.REQUEST_REPLAYED, place=device.id)
        return device

    async def _authenticate(self, request: SignableRequest, body: bytes) -> tuple[KnownDevice, str]:
        """The enrolled device that signed this request, and the request's nonce; the key id is the device id."""
        kept = _Resolver(self.devices.kept)
        try:
            return kept.verify(request, body)
        except (TrustError, _NotKnownHereError):
            if not kept.key_id:
                raise
            enrolled = await self.devices.find(kept.key_id)
            if enrolled is None:
                raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail="no such device is enrolled") from None
            if enrolled == kept.device:
                raise
        # It was not kept, or has exchanged its keys since, at another process.
        return _Resolver({enrolled.id: enrolled}.get).verify(request, body)


class _NotKnownHereError(Exception):
    """The key has to be looked up first."""


class _Resolver:
    """Finds the key of whoever says that he signed a request.

    Args:
        find: The device of an id, if it is known here.

    Attributes:
        key_id: Whose key was asked for; empty before.
        device: Who that is, if known.
    """

    def __init__(self, find: Callable[[str], KnownDevice | None]) -> None:
        self._find = find
        self.key_id = ""
        self.device: KnownDevice | None = None

    def verify(self, request: SignableRequest, body: bytes) -> tuple[KnownDevice, str]:
        """The device that signed, and the request's nonce.

        Raises:
            TrustError: Nobody known here did.
            _NotKnownHereError: Whoever says so is not known here; about the signature this says nothing.
        """
        _, nonce = verify_request(request, body, self._public_key)
        assert self.device is not None  # noqa: S101  without it there was no key to verify with
        return self.device, nonce

    def _public_key(self, key_id: str) -> Ed25519PublicKey:
        self.key_id, self.device = key_id, self._find(key_id)
        if self.device is None:
            raise _NotKnownHereError
        return Ed25519PublicKey.from_public_bytes(self.device.signing_key)
