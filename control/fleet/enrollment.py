"""Enrolment: a token and proof of the device's key against an id, a broker user and the policy keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.queues import device_broker_user
from contract.uplink import EnrollmentReply, EnrollmentRequest, proof_message
from control.database.tables import Device, EnrollmentToken
from control.fleet.broker_users import BrokerUsers
from control.fleet.groups import add_member
from control.security.tokens import new_token, token_hash


@dataclass(frozen=True)
class EnrollmentTerms:
    """What every device is told when it enrols.

    Attributes:
        broker_url: Where orders come from, without user or secret.
        policy_keys: Raw Ed25519 keys that policies are signed with, by key id.
        check_in_interval: How often to check in.
    """

    broker_url: str
    policy_keys: dict[str, bytes]
    check_in_interval: timedelta


class Enrollment:
    """Lets devices in."""

    def __init__(self, broker_users: BrokerUsers, terms: EnrollmentTerms) -> None:
        self._broker_users = broker_users
        self._terms = terms

    def enroll(self, session: Session, request: EnrollmentRequest, now: datetime) -> EnrollmentReply:
        """Let the device in, or, if its answer was lost, tell it once more with a new broker secret.

        Raises:
            TrustError: The token is unknown, used up or expired; or the device does not hold its signing key.
            UnavailableError: The broker does not answer; the token is as good as before.
        """
        _check_proof(request)
        digest = token_hash(request.token)
        device = session.scalar(select(Device).where(Device.signing_key == request.signing_key))
        if device is None:
            device = _admit(session, request, digest, now)
        elif device.enrolled_with != digest or device.retired_at is not None:
            raise TrustError(ErrorCode.TOKEN_REFUSED, detail="a device with this key is enrolled already")
        # Last, so that a broker that does not answer leaves the token unspent.
        secret = new_token()
        self._broker_users.put(device.id, secret)
        return EnrollmentReply(
            device_id=device.id,
            broker_url=self._terms.broker_url,
            broker_user=device_broker_user(device.id),
            broker_secret=secret,
            policy_keys=self._terms.policy_keys,
            check_in_interval_seconds=self._terms.check_in_interval.total_seconds(),
        )


def create_enrollment_token(
    session: Session, *, group_id: str | None, uses: int, lifetime: timedelta, now: datetime
) -> tuple[str, EnrollmentToken]:
    """Make a token; only its hash is kept, so this is the only time it can be shown."""
    token = new_token()
    row = EnrollmentToken(
        token_hash=token_hash(token), group_id=group_id, uses_left=uses, created_at=now, expires_at=now + lifetime
    )
    session.add(row)
    session.flush()
    return token, row


def _check_proof(request: EnrollmentRequest) -> None:
    message = proof_message(request.token, request.name, request.signing_key, request.sealing_key)
    try:
        # Keys of small order pass for keys until something is to be sealed to them.
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(request.sealing_key))
        Ed25519PublicKey.from_public_bytes(request.signing_key).verify(request.proof, message)
    except (InvalidSignature, ValueError) as error:
        detail = "a key is none, or the proof is not made with the signing key it names"
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail=detail) from error


def _admit(session: Session, request: EnrollmentRequest, digest: str, now: datetime) -> Device:
    group_id = _spend(session, digest, now)
    device = Device(
        id=str(uuid4()),
        name=request.name,
        signing_key=request.signing_key,
        sealing_key=request.sealing_key,
        facts=request.facts.model_dump(mode="json"),
        enrolled_with=digest,
        enrolled_at=now,
        last_seen_at=now,
    )
    session.add(device)
    session.flush()
    if group_id is not None:
        add_member(session, group_id, device.id, now)
    return device


def _spend(session: Session, digest: str, now: datetime) -> str | None:
    """Take one use off the token, in one statement, so that its last use is not given away twice."""
    good = (EnrollmentToken.token_hash == digest, EnrollmentToken.uses_left > 0, EnrollmentToken.expires_at > now)
    spent = update(EnrollmentToken).where(*good).values(uses_left=EnrollmentToken.uses_left - 1)
    group_ids = session.execute(spent.returning(EnrollmentToken.group_id)).scalars().all()
    if not group_ids:
        raise TrustError(ErrorCode.TOKEN_REFUSED)
    return group_ids[0]
