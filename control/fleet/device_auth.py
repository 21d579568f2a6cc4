"""Which device signed a request, and whether the request is let in."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract.error_codes import ErrorCode
from contract.errors import RateLimitedError, TrustError
from contract.http_signatures import REPLAY_WINDOW, SignableRequest, verify_request
from control.fleet.known_devices import KnownDevice, KnownDevices
from control.security.nonces import NonceMemory
from control.security.rate_limits import RateLimiter


class _NotKeptError(Exception):
    """The key has to be looked up first."""

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id


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
        found: dict[str, KnownDevice | None] = {}

        def public_key(key_id: str) -> Ed25519PublicKey:
            if key_id not in found:
                found[key_id] = self.devices.kept(key_id)
            device = found[key_id]
            if device is None:
                raise _NotKeptError(key_id)
            return Ed25519PublicKey.from_public_bytes(device.signing_key)

        try:
            key_id, nonce = verify_request(request, body, public_key)
        except _NotKeptError as missing:
            found[missing.key_id] = await self._enrolled(missing.key_id)
            key_id, nonce = verify_request(request, body, public_key)
        return found.get(key_id) or await self._enrolled(key_id), nonce

    async def _enrolled(self, key_id: str) -> KnownDevice:
        device = await self.devices.find(key_id)
        if device is None:
            raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail="no such device is enrolled")
        return device
