"""Which device signed a request, and whether the request is let in."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import RateLimitedError, TrustError
from contract.http_signatures import REPLAY_WINDOW, SignableRequest, verify_request
from control.database.tables import Device
from control.security.nonces import NonceMemory
from control.security.rate_limits import RateLimiter


@dataclass(frozen=True)
class DeviceGate:
    """Lets devices' requests in, each once and not too many.

    Attributes:
        nonces: What was here already.
        limiter: How many requests a device may send.
    """

    nonces: NonceMemory
    limiter: RateLimiter

    def admit(self, session: Session, request: SignableRequest, body: bytes) -> Device:
        """The enrolled device that signed this request.

        Raises:
            TrustError: Nobody enrolled signed it, the device has been retired, or the request was here already.
            RateLimitedError: The device sends too many.
        """
        device, nonce = authenticate(session, request, body)
        wait = self.limiter.wait_seconds(device.id)
        if wait:
            raise RateLimitedError(wait, place=device.id)
        if not self.nonces.is_new(device.id, nonce, REPLAY_WINDOW):
            raise TrustError(ErrorCode.REQUEST_REPLAYED, place=device.id)
        return device


def authenticate(session: Session, request: SignableRequest, body: bytes) -> tuple[Device, str]:
    """The enrolled device that signed this request, and the request's nonce; the key id is the device id.

    Raises:
        TrustError: Nobody enrolled signed it, or the device has been retired.
    """

    def public_key(key_id: str) -> Ed25519PublicKey:
        device = session.get(Device, key_id)
        if device is None or device.retired_at is not None:
            raise LookupError("no such device is enrolled")
        return Ed25519PublicKey.from_public_bytes(device.signing_key)

    key_id, nonce = verify_request(request, body, public_key)
    device = session.get(Device, key_id)
    if device is None:
        raise TrustError(ErrorCode.SIGNATURE_REFUSED)
    return device, nonce
