"""Which device signed a request."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.http_signatures import SignableRequest, verify_request
from control.database.tables import Device


def authenticate(session: Session, request: SignableRequest, body: bytes) -> Device:
    """The enrolled device that signed this request; its key id is its device id.

    Raises:
        TrustError: Nobody enrolled signed it, or the device has been retired.
    """

    def public_key(key_id: str) -> Ed25519PublicKey:
        device = session.get(Device, key_id)
        if device is None or device.retired_at is not None:
            raise LookupError("no such device is enrolled")
        return Ed25519PublicKey.from_public_bytes(device.signing_key)

    key_id, _nonce = verify_request(request, body, public_key)
    device = session.get(Device, key_id)
    if device is None:
        raise TrustError(ErrorCode.SIGNATURE_REFUSED)
    return device
