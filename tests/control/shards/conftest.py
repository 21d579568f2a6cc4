"""A control plane with three brokers in memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from contract.uplink import CheckIn, CheckInReason, CheckInReply
from control.bootstrap import assemble, make_signer
from control.database.tables import Device
from control.fleet.check_in import Arrival, CheckInTerms, check_in
from control.security.nonces import ProcessNonces
from control.settings import ControlSettings
from control.shards.device_brokers import DeviceBrokers
from control.shards.hashing import shard_of
from control.shards.moving import begin_moves, follow_moves
from tests.control.plane import FACTS, MemoryDeviceQueues, Plane, RecordingBrokerUsers, SignedDevice

NAMES = ("first", "two", "three")
URLS = {name: f"rediss://{name}.example:6379/0" for name in NAMES}
NEW = "two"


@dataclass
class Sharded:
    """A control plane with three brokers whose devices are at two of them, and the hands to move them."""

    plane: Plane
    users: dict[str, RecordingBrokerUsers]
    queues: dict[str, MemoryDeviceQueues]

    def limit(self, settings: ControlSettings) -> None:
        """Go on with other settings."""
        self.plane = replace(self.plane, services=replace(self.plane.services, settings=settings))

    def url(self, shard: str) -> str:
        return URLS[shard]

    def enroll(self, name: str, group_id: str | None = None) -> str:
        device = SignedDevice(client=None, name=name)  # type: ignore[arg-type]  # it only makes the request
        with self.plane.services.database.transaction() as session:
            request = device.enrollment(self.plane.token(group_id=group_id))
            reply = self.plane.services.enrollment.enroll(session, request, self.plane.clock.now(), "")
        assert reply.broker_url == URLS[self.row(reply.device_id).broker_shard]
        return reply.device_id

    def fleet(self, group_id: str | None = None) -> list[str]:
        """Devices, some at each shard."""
        devices: list[str] = []
        while {shard_of(device_id, NAMES) for device_id in devices} != {*NAMES}:
            devices += [self.enroll(f"desk-{len(devices) + number}", group_id) for number in range(6)]
        return devices

    def at(self, shard: str, home: str = NEW) -> str:
        """A device that is at a shard and belongs at another one."""
        number = 0
        while True:
            device_id = self.enroll(f"desk-{number}")
            if shard_of(device_id, NAMES) == home:
                break
            number += 1
        with self.plane.services.database.transaction() as session:
            session.get_one(Device, device_id).broker_shard = shard
        secret = self.users[home].secrets.pop(device_id)
        self.users[shard].secrets[device_id] = secret
        return device_id

    def row(self, device_id: str) -> Device:
        with self.plane.services.database.snapshot() as session:
            return session.get_one(Device, device_id)

    def begin(self, *device_ids: str) -> int:
        now = self.plane.clock.now()
        with self.plane.services.database.transaction() as session:
            return begin_moves(session, device_ids, NAMES, self.users, online_since=now, now=now)

    def says(self, device_id: str, listens_at: str) -> CheckInReply:
        services = self.plane.services
        message = CheckIn(reason=CheckInReason.MAINTENANCE_TIMER, facts=FACTS, broker_url=listens_at)
        terms = CheckInTerms(services.settings.check_in_interval, services.settings.online_window, URLS)
        with services.database.transaction() as session:
            now = self.plane.clock.now()
            (reply,) = check_in(session, [Arrival(device_id, message)], terms, trusted_keys_version=1, now=now)
        assert reply is not None
        return reply

    def follow(self) -> int:
        return follow_moves(self.plane.services.database, self.plane.services.brokers, self.plane.clock)


@pytest.fixture
def sharded(settings: ControlSettings, make_plane: Callable[[ControlSettings], Plane]) -> Iterator[Sharded]:
    plane = make_plane(settings)
    users = {name: RecordingBrokerUsers() for name in NAMES}
    queues = {name: MemoryDeviceQueues() for name in NAMES}
    further = " ".join(f"{name}={URLS[name]}" for name in NAMES[1:])
    configured = ControlSettings.model_validate(
        {**settings.model_dump(), "broker_shards": further, "device_broker_url": URLS["first"]}
    )
    services = assemble(
        configured,
        clock=plane.clock,
        store=plane.store,
        signer=make_signer(configured),
        brokers=DeviceBrokers(users, queues),
        nonces=ProcessNonces(plane.clock),
        queue=plane.queue,
    )
    yield Sharded(replace(plane, services=services), users, queues)
    services.database.close()
