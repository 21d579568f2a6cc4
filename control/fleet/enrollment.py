"""Enrolment: a token and proof of the device's key against an id, a broker user and the trusted keys."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, load_only

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.queues import device_broker_user
from contract.uplink import EnrollmentReply, EnrollmentRequest, proof_message
from control.audit.trail import AuditTrail
from control.database.tables import Device, EnrollmentToken, Group, GroupMember
from control.database.tables.trust import UnsavedBrokerUser
from control.fleet.broker_users import BrokerUsers, secret_hash
from control.fleet.enrollment_tokens import spend
from control.fleet.groups import add_member
from control.fleet.membership import refresh_device
from control.fleet.proof import check_keys
from control.fleet.retirement import retire
from control.security.operators import DeviceActor
from control.security.tokens import new_token, token_hash
from control.security.trust_chain import TrustChain
from control.shards.hashing import shard_of
from control.shards.placement import PLACES, is_at, places_of

#: Broker users that one transaction saves at most.
_SAVED_AT_ONCE: Final = 2000


@dataclass(frozen=True)
class EnrollmentTerms:
    """What every device is told when it enrols.

    Attributes:
        broker_urls: Where orders come from, without user or secret, by shard.
        check_in_interval: How often to check in.
    """

    broker_urls: Mapping[str, str]
    check_in_interval: timedelta


class Enrollment:
    """Lets devices in.

    Attributes:
        terms: What devices are told.

    Args:
        broker_users: Of each shard, by its name.
        chain: The keys that devices are to trust.
        audit: Where it is recorded.
        terms: What devices are told.
    """

    def __init__(
        self, broker_users: Mapping[str, BrokerUsers], chain: TrustChain, audit: AuditTrail, terms: EnrollmentTerms
    ) -> None:
        self._broker_users = broker_users
        self._chain = chain
        self._audit = audit
        self.terms = terms

    @property
    def shards(self) -> Collection[str]:
        """The names of all shards."""
        return self._broker_users.keys()

    @property
    def broker_urls(self) -> Mapping[str, str]:
        """Where devices reach each shard."""
        return self.terms.broker_urls

    def enroll(self, session: Session, request: EnrollmentRequest, now: datetime, source: str) -> EnrollmentReply:
        """Let the device in, or, if its answer was lost, tell it once more with a new broker secret.

        Args:
            session: The transaction.
            request: Who asks.
            now: The time.
            source: The address the request came from.

        Raises:
            TrustError: The token is unknown, used up or expired; or the device does not hold its signing key.
            UnavailableError: The broker does not answer; the token is as good as before.
        """
        message = proof_message(request.token, request.name, request.signing_key, request.sealing_key)
        check_keys(request.signing_key, request.sealing_key, request.proof, message)
        digest = token_hash(request.token)
        known = session.scalar(select(Device).where(Device.signing_key == request.signing_key))
        if known is not None and (known.enrolled_with != digest or known.retired_at is not None):
            raise TrustError(ErrorCode.TOKEN_REFUSED, detail="a device with this key is enrolled already")
        device = known or self._admit(session, request, digest, now)
        reply = self.hand_out(session, device)
        self._record(session, device, source, now, again=known is not None)
        return reply

    def hand_out(self, session: Session, device: Device) -> EnrollmentReply:
        """Everything an enrolled device is told, with a new broker secret; the one it had before is void.

        Called last in a transaction: a broker that does not answer leaves everything as it was.

        Raises:
            UnavailableError: The broker does not answer.
        """
        secret = new_token()
        device.broker_secret_hash = secret_hash(secret)
        if device.broker_shard not in self.shards:
            device.broker_shard = shard_of(device.id, self.shards)
        session.merge(UnsavedBrokerUser(device_id=device.id))
        for shard in places_of(device, self.shards):
            self._broker_users[shard].put(device.id, secret)
        return EnrollmentReply(
            device_id=device.id,
            broker_url=self.broker_urls.get(device.next_shard or "") or self.broker_urls[device.broker_shard],
            broker_user=device_broker_user(device.id),
            broker_secret=secret,
            trusted_keys=self._chain.envelope(session),
            check_in_interval_seconds=self.terms.check_in_interval.total_seconds(),
        )

    def save_broker_users(self, session: Session, shard: str) -> int:
        """Have a broker keep the users of its devices that were handed a secret since the last time.

        Called last in a transaction. A device that is retired meanwhile waits for it, and is shut out after it.

        Returns:
            How many were saved; there may be more.

        Raises:
            UnavailableError: The broker does not answer; they are saved the next time.
        """
        unsaved = (
            select(Device)
            .join(UnsavedBrokerUser, UnsavedBrokerUser.device_id == Device.id)
            .where(is_at(shard, self.shards))
            .order_by(Device.id)
            .limit(_SAVED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        devices = session.scalars(unsaved).all()
        if not devices:
            return 0
        ids = [device.id for device in devices]
        session.execute(delete(UnsavedBrokerUser).where(UnsavedBrokerUser.device_id.in_(ids)))
        for place, hashes in self._hashes_by_place(devices).items():
            self._broker_users[place].save(hashes)
        return len(ids)

    def cut_off(self, device: Device) -> None:
        """Shut a retired device out of the broker; again is fine.

        Raises:
            UnavailableError: The broker does not answer.
        """
        for shard in places_of(device, self.shards):
            self._broker_users[shard].remove(device.id)

    def renew_broker_users(self, session: Session) -> int:
        """Let all enrolled devices into their brokers, and nobody else's device.

        Returns:
            How many there are.

        Raises:
            UnavailableError: A broker does not answer.
        """
        enrolled = select(Device).where(Device.retired_at.is_(None), Device.broker_secret_hash != "")
        columns = (Device.broker_secret_hash, Device.retired_at, *PLACES)
        devices = session.scalars(enrolled.options(load_only(*columns))).all()
        hashes = self._hashes_by_place(devices)
        for shard, users in self._broker_users.items():
            users.renew(hashes.get(shard, {}))
        return len(devices)

    def _hashes_by_place(self, devices: Iterable[Device]) -> Mapping[str, dict[str, str]]:
        """Whom to let in where: by shard the hashed secrets of the devices that have a place there."""
        hashes: dict[str, dict[str, str]] = defaultdict(dict)
        for device in devices:
            if device.retired_at is None:
                for shard in places_of(device, self.shards):
                    hashes[shard][device.id] = device.broker_secret_hash
        return hashes

    def _record(self, session: Session, device: Device, source: str, now: datetime, *, again: bool) -> None:
        """Record who came in, by which token, in whose place; last, for entries wait for each other."""
        token = session.scalar(select(EnrollmentToken).where(EnrollmentToken.token_hash == device.enrolled_with))
        told = {"name": device.name, "token": None if token is None else token.id, "again": again}
        actor = DeviceActor(device.id, source)
        if token is not None and token.replaces is not None and not again:
            replaced = {"replaced_by": device.id}
            self._audit.record(session, actor, "device.retire", token.replaces, now=now, after=replaced)
        self._audit.record(session, actor, "device.enroll", device.id, now=now, after=told)

    def _admit(self, session: Session, request: EnrollmentRequest, digest: str, now: datetime) -> Device:
        token = spend(session, digest, now)
        old = None if token.replaces is None else session.get_one(Device, token.replaces)
        device = _add(session, request, digest, now)
        device.broker_shard = shard_of(device.id, self.shards)
        device.site = token.site
        groups = set() if token.group_id is None else {token.group_id}
        if old is not None:
            device.name, device.site = old.name, old.site
            groups |= set(session.scalars(select(GroupMember.group_id).where(GroupMember.device_id == old.id)))
            retire(session, old, now)
            # Whoever saves the old one's user right now is waited for.
            session.flush()
            session.refresh(old)
            self.cut_off(old)
            old.cut_off_at = now
        # A rule chooses the members of the others.
        static = select(Group.id).where(Group.id.in_(groups), Group.rule.is_(None)).order_by(Group.id)
        for group_id in session.scalars(static).all():
            add_member(session, group_id, device.id, now)
        refresh_device(session, device, now)
        return device


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
