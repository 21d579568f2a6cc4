"""Enrolment: a token and proof of the device's key against an id, a broker user and the trusted keys."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.queues import device_broker_user
from contract.uplink import EnrollmentReply, EnrollmentRequest, proof_message
from control.database.tables import Device, EnrollmentToken, Group, GroupMember
from control.fleet.broker_users import BrokerUsers, secret_hash
from control.fleet.groups import add_member
from control.fleet.membership import refresh_device
from control.fleet.proof import check_keys
from control.fleet.retirement import retire
from control.security.tokens import new_token, token_hash
from control.security.trust_chain import TrustChain


@dataclass(frozen=True)
class EnrollmentTerms:
    """What every device is told when it enrols.

    Attributes:
        broker_url: Where orders come from, without user or secret.
        check_in_interval: How often to check in.
    """

    broker_url: str
    check_in_interval: timedelta


class Enrollment:
    """Lets devices in."""

    def __init__(self, broker_users: BrokerUsers, chain: TrustChain, terms: EnrollmentTerms) -> None:
        self._broker_users = broker_users
        self._chain = chain
        self._terms = terms

    def enroll(self, session: Session, request: EnrollmentRequest, now: datetime) -> EnrollmentReply:
        """Let the device in, or, if its answer was lost, tell it once more with a new broker secret.

        Raises:
            TrustError: The token is unknown, used up or expired; or the device does not hold its signing key.
            UnavailableError: The broker does not answer; the token is as good as before.
        """
        message = proof_message(request.token, request.name, request.signing_key, request.sealing_key)
        check_keys(request.signing_key, request.sealing_key, request.proof, message)
        digest = token_hash(request.token)
        device = session.scalar(select(Device).where(Device.signing_key == request.signing_key))
        if device is None:
            device = self._admit(session, request, digest, now)
        elif device.enrolled_with != digest or device.retired_at is not None:
            raise TrustError(ErrorCode.TOKEN_REFUSED, detail="a device with this key is enrolled already")
        return self.hand_out(session, device)

    def hand_out(self, session: Session, device: Device) -> EnrollmentReply:
        """Everything an enrolled device is told, with a new broker secret; the one it had before is void.

        Called last in a transaction: a broker that does not answer leaves everything as it was.

        Raises:
            UnavailableError: The broker does not answer.
        """
        secret = new_token()
        device.broker_secret_hash = secret_hash(secret)
        self._broker_users.put(device.id, secret)
        return EnrollmentReply(
            device_id=device.id,
            broker_url=self._terms.broker_url,
            broker_user=device_broker_user(device.id),
            broker_secret=secret,
            trusted_keys=self._chain.envelope(session),
            check_in_interval_seconds=self._terms.check_in_interval.total_seconds(),
        )

    def cut_off(self, device_id: str) -> None:
        """Shut a retired device out of the broker; again is fine.

        Raises:
            UnavailableError: The broker does not answer.
        """
        self._broker_users.remove(device_id)

    def renew_broker_users(self, session: Session) -> int:
        """Let all enrolled devices into the broker, and nobody else's device.

        Returns:
            How many there are.

        Raises:
            UnavailableError: The broker does not answer.
        """
        enrolled = select(Device.id, Device.broker_secret_hash).where(Device.retired_at.is_(None))
        hashes = {device_id: hashed for device_id, hashed in session.execute(enrolled) if hashed}
        self._broker_users.renew(hashes)
        return len(hashes)

    def _admit(self, session: Session, request: EnrollmentRequest, digest: str, now: datetime) -> Device:
        token = _spend(session, digest, now)
        old = None if token.replaces is None else session.get_one(Device, token.replaces)
        device = _add(session, request, digest, now)
        device.site = token.site
        groups = set() if token.group_id is None else {token.group_id}
        if old is not None:
            device.name, device.site = old.name, old.site
            groups |= set(session.scalars(select(GroupMember.group_id).where(GroupMember.device_id == old.id)))
            retire(session, old, now)
            self._broker_users.remove(old.id)
        # A rule chooses the members of the others.
        static = select(Group.id).where(Group.id.in_(groups), Group.rule.is_(None)).order_by(Group.id)
        for group_id in session.scalars(static).all():
            add_member(session, group_id, device.id, now)
        refresh_device(session, device, now)
        return device


def create_enrollment_token(
    session: Session,
    *,
    group_id: str | None,
    uses: int,
    lifetime: timedelta,
    now: datetime,
    replaces: str | None = None,
    site: str | None = None,
) -> tuple[str, EnrollmentToken]:
    """Make a token; only its hash is kept, so this is the only time it can be shown.

    Args:
        session: The transaction.
        group_id: Devices are put into this group.
        uses: How many devices may enrol with it.
        lifetime: For how long.
        now: The time.
        replaces: The id of a device whose name, site and groups the new one takes over; the old one is retired by that.
        site: Where the devices stand.
    """
    token = new_token()
    row = EnrollmentToken(
        token_hash=token_hash(token),
        group_id=group_id,
        site=site,
        uses_left=uses,
        replaces=replaces,
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(row)
    session.flush()
    return token, row


def _add(session: Session, request: EnrollmentRequest, digest: str, now: datetime) -> Device:
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
    return device


def _spend(session: Session, digest: str, now: datetime) -> EnrollmentToken:
    """Take one use off the token, in one statement, so that its last use is not given away twice."""
    good = (EnrollmentToken.token_hash == digest, EnrollmentToken.uses_left > 0, EnrollmentToken.expires_at > now)
    spent = update(EnrollmentToken).where(*good).values(uses_left=EnrollmentToken.uses_left - 1)
    tokens = session.execute(spent.returning(EnrollmentToken)).scalars().all()
    if not tokens:
        raise TrustError(ErrorCode.TOKEN_REFUSED)
    return tokens[0]
