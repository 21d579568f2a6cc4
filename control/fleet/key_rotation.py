"""New keys for an enrolled device, by the device itself."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.uplink import KeyRotation, rotation_message
from control.database.tables import Device
from control.fleet.proof import check_keys


def rotate_keys(session: Session, device: Device, request: KeyRotation) -> None:
    """Trust the device's new keys from now on, and the old ones no longer; asking again with the same changes nothing.

    Args:
        session: The transaction.
        device: Who signed the request, with its old key, or with the new one where an answer was lost.
        request: The new keys, and proof that the device holds them.

    Raises:
        TrustError: A key is none, is another device's, or the proof does not hold.
    """
    message = rotation_message(device.id, request.signing_key, request.sealing_key)
    check_keys(request.signing_key, request.sealing_key, request.proof, message)
    device.signing_key = request.signing_key
    device.sealing_key = request.sealing_key
    try:
        session.flush()
    except IntegrityError as error:
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail="another device has this key") from error
