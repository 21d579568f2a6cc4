"""Enrolment: a token and proof of the device's key against an id, a broker user and the trusted keys."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, load_only

from contract.envelopes import SignedEnvelope
from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.queues import device_broker_user
from contract.uplink import EnrollmentReply, EnrollmentRequest, proof_message
from control.audit.trail import AuditTrail, Change
from control.database.conflicts import insert_into
from control.database.tables import Device, EnrollmentToken, GroupMember
from control.database.tables.trust import UnsavedBrokerUser
from control.fleet.broker_users import BrokerUsers, secret_hash
from control.fleet.enrollment_tokens import held_token, spend
from control.fleet.membership import join_static, refresh_device
from control.fleet.proof import check_keys
from control.fleet.retirement import retire
from control.security.operators import DeviceActor
from control.security.tokens import new_token, token_hash
from control.security.trust_chain import TrustChain
from control.shards.hashing import shard_of
from control.shards.placement import PLACES, is_at, places_of

#: Broker users that one transaction saves at most.
_SAVED_AT_ONCE: Final = 2000

_UNSAVED: Final = select(UnsavedBrokerUser.device_id)


@dataclass(frozen=True)
class EnrollmentTerms:
    """What every device is told when it enrols.

    Attributes:
        broker_urls: Where orders come from, without user or secret, by shard.
        check_in_interval: How often to check in.
    """

    broker_urls: Mapping[str, str]
    check_in_interval: timedelta


@dataclass(frozen=True)
class Entrance:
    """How a device came in.

    Attributes:
        token: What it came with, where that is known still.
        source: The address its request came from.
        again: Whether it was in already, and its answer was lost.
    """

    device: Device
    token: EnrollmentToken | None
    source: str
    again: bool = False


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
        check_proof(request)
        digest = token_hash(request.token)
        # The same machine may ask twice at once, and an operator may retire it right now.
        token = held_token(session, digest)
        same_key = select(Device).where(Device.signing_key == request.signing_key)
        known = session.scalar(same_key.with_for_update(key_share=True))
        if known is not None and (known.enrolled_with != digest or known.retired_at is not None):
            raise _known_already()
        device = known or self._admit(session, request, digest, now)
        reply = self.hand_out(session, device)
        self.record(session, [Entrance(device, token, source, again=known is not None)], now)
        return reply

    def hand_out(self, session: Session, device: Device) -> EnrollmentReply:
        """Everything an enrolled device is told, with a new broker secret; the one it had before is void.

        Called last in a transaction: a broker that does not answer leaves everything as it was.

        Raises:
            UnavailableError: The broker does not answer.
        """
        (reply,) = self.hand_out_all(session, [device])
        return reply

    def hand_out_all(self, session: Session, devices: Sequence[Device]) -> list[EnrollmentReply]:
        """The same for some devices, which are not changed but here: a round trip to each broker for all of them."""
        secrets = {device.id: new_token() for device in devices}
        for device in devices:
            device.broker_secret_hash = secret_hash(secrets[device.id])
            if device.broker_shard not in self.shards:
                device.broker_shard = shard_of(device.id, self.shards)
        session.flush()
        unsaved = insert_into(UnsavedBrokerUser, session.get_bind().dialect.name).on_conflict_do_nothing()
        session.execute(unsaved, [{"device_id": device_id} for device_id in secrets])
        trusted_keys = self._chain.envelope(session)
        for shard, users in self._broker_users.items():
            users.put({one.id: secrets[one.id] for one in devices if shard in places_of(one, self.shards)})
        return [self._reply(device, secrets[device.id], trusted_keys) for device in devices]

    def _reply(self, device: Device, secret: str, trusted_keys: SignedEnvelope) -> EnrollmentReply:
        return EnrollmentReply(
            device_id=device.id,
            broker_url=self.broker_urls.get(device.next_shard or "") or self.broker_urls[device.broker_shard],
            broker_user=device_broker_user(device.id),
            broker_secret=secret,
            trusted_keys=trusted_keys,
            check_in_interval_seconds=self.terms.check_in_interval.total_seconds(),
        )

    def record(self, session: Session, entrances: Iterable[Entrance], now: datetime) -> None:
        """Record who came in, by which token, in whose place; last, for entries wait for each other."""
        self._audit.record_all(session, [change for one in entrances for change in _changes(one)], now=now)

    def has_unsaved(self, session: Session) -> bool:
        """Whether a broker has users that it would not know any more after a restart."""
        return session.scalar(_UNSAVED.limit(1)) is not None

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
            .where(Device.id.in_(_UNSAVED), is_at(shard, self.shards))
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

    def newcomer(self, request: EnrollmentRequest, token: EnrollmentToken, now: datetime) -> Device:
        """What becomes of somebody who enrols with this token; not in the database yet."""
        device_id = str(uuid4())
        return Device(
            id=device_id,
            name=request.name,
            site=token.site,
            signing_key=request.signing_key,
            sealing_key=request.sealing_key,
            facts=request.facts.model_dump(mode="json"),
            enrolled_with=token.token_hash,
            enrolled_at=now,
            last_seen_at=now,
            broker_shard=shard_of(device_id, self.shards),
        )

    def _admit(self, session: Session, request: EnrollmentRequest, digest: str, now: datetime) -> Device:
        token = spend(session, digest, now)
        old = None if token.replaces is None else session.get_one(Device, token.replaces)
        device = self.newcomer(request, token, now)
        session.add(device)
        try:
            session.flush()
        except IntegrityError as error:
            raise _known_already() from error
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
        join_static(session, {device.id: groups}, now)
        refresh_device(session, device, now)
        return device


def check_proof(request: EnrollmentRequest) -> None:
    """Let pass only who holds the keys it names, and asks with this token under this name.

    Raises:
        TrustError: A key is none, or the proof does not hold.
    """
    message = proof_message(request.token, request.name, request.signing_key, request.sealing_key)
    check_keys(request.signing_key, request.sealing_key, request.proof, message)


def _changes(entrance: Entrance) -> Iterator[Change]:
    device, token = entrance.device, entrance.token
    actor = DeviceActor(device.id, entrance.source)
    if token is not None and token.replaces is not None and not entrance.again:
        yield Change(actor, "device.retire", token.replaces, after={"replaced_by": device.id})
    told = {"name": device.name, "token": None if token is None else token.id, "again": entrance.again}
    yield Change(actor, "device.enroll", device.id, after=told)


def _known_already() -> TrustError:
    return TrustError(ErrorCode.TOKEN_REFUSED, detail="a device with this key is enrolled already")
