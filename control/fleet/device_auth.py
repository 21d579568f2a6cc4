"""Which device signed a request, and whether the request is let in."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import RateLimitedError, TrustError
from contract.http_signatures import REPLAY_WINDOW, SignableRequest, verify_request
from control.database.tables import Device
from control.security.nonces import NonceMemory
from control.security.rate_limits import RateLimiter


@dataclass(frozen=True)
class KnownDevice:
    """An enrolled device, as far as its requests need it.

    Attributes:
        signing_key: Its raw Ed25519 public key.
        sealing_key: Its raw X25519 public key.
    """

    id: str
    signing_key: bytes
    sealing_key: bytes


_TABLE = Device.__table__.c
#: Columns, not an object that the session would watch: every request of every device asks for this.
_ENROLLED = select(_TABLE.id, _TABLE.signing_key, _TABLE.sealing_key).where(
    _TABLE.id == bindparam("device_id"), _TABLE.retired_at.is_(None)
)


@dataclass(frozen=True)
class DeviceGate:
    """Lets devices' requests in, each once and not too many.

    Attributes:
        nonces: What was here already.
        limiter: How many requests a device may send.
    """

    nonces: NonceMemory
    limiter: RateLimiter

    def admit(self, session: Session, request: SignableRequest, body: bytes) -> KnownDevice:
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


def authenticate(session: Session, request: SignableRequest, body: bytes) -> tuple[KnownDevice, str]:
    """The enrolled device that signed this request, and the request's nonce; the key id is the device id.

    Raises:
        TrustError: Nobody enrolled signed it, or the device has been retired.
    """
    found: dict[str, KnownDevice] = {}

    def device_of(key_id: str) -> KnownDevice:
        if key_id not in found:
            row = session.execute(_ENROLLED, {"device_id": key_id}).one_or_none()
            if row is None:
                raise LookupError("no such device is enrolled")
            found[key_id] = KnownDevice(*row)
        return found[key_id]

    def public_key(key_id: str) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(device_of(key_id).signing_key)

    key_id, nonce = verify_request(request, body, public_key)
    return device_of(key_id), nonce
