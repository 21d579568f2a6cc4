"""Many devices that come back at once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote

import httpx
import redis

from contract.clock import SystemClock
from contract.errors import UnavailableError
from contract.queues import device_queue, processing_list
from contract.uplink import CheckIn, CheckInReason, DeviceFacts
from control.views.access import EnrollmentTokenRequest
from deploy.local.ports import HOST
from tests.faults.apps import Pace, publish
from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import PATIENT
from worker.identity import Identity
from worker.platform.select import this_platform
from worker.uplink.enrolment import enroll
from worker.uplink.http import HttpUplink

_QUICK, _ALL = 100, 500
_TIMEOUT_SECONDS = 60.0
_PATIENCE_SECONDS = 300.0
#: After a refusal a device waits a random part of this.
_AGAIN_SECONDS = 2.0
_ENROLLING_AT_ONCE = 8


@dataclass
class _Crowd:
    """Devices without an agent: each checks in over HTTP as an agent does and takes its job from its own queue.

    Attributes:
        refused: How often one was told to come again.
        served: Seconds until each had its job.
    """

    ground: Ground
    facts: DeviceFacts
    refused: int = 0
    served: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def come_back(self, identity: Identity) -> None:
        """Wait for the signal, check in, take the job."""
        self.gate.wait()
        began = time.monotonic()
        try:
            self._check_in(identity, began + _PATIENCE_SECONDS)
            self._take(identity)
        except Exception as error:  # noqa: BLE001  whatever it is, this device was not served
            with self.lock:
                self.failed.append(f"{identity.name}: {type(error).__name__}: {error}")
            return
        with self.lock:
            self.served.append(time.monotonic() - began)

    def _check_in(self, identity: Identity, deadline: float) -> None:
        chance = Random(identity.device_id)
        with httpx.Client(base_url=identity.control_plane_url, timeout=_TIMEOUT_SECONDS) as client:
            uplink = HttpUplink(client, identity, SystemClock())
            while True:
                try:
                    uplink.check_in(CheckIn(reason=CheckInReason.AGENT_RESTART, facts=self.facts))
                except UnavailableError:
                    if time.monotonic() > deadline:
                        raise
                    with self.lock:
                        self.refused += 1
                    time.sleep(chance.uniform(0, _AGAIN_SECONDS))
                else:
                    return

    def _take(self, identity: Identity) -> None:
        queue = device_queue(identity.device_id)
        user = f"{quote(identity.broker_user, safe='')}:{quote(identity.broker_secret, safe='')}"
        url = f"redis://{user}@{HOST}:{self.ground.site.broker_link.port}/0"
        with redis.Redis.from_url(url, socket_timeout=_PATIENCE_SECONDS + 1) as client:
            taken = client.blmove(queue, processing_list(queue), int(_PATIENCE_SECONDS), "RIGHT", "LEFT")
        if taken is None:
            raise TimeoutError("no job came")


def comes_back(ground: Ground) -> Row:
    """Each of them has a job waiting; the time counts until the last one holds it."""
    ground.site.set_reconciler(PATIENT)
    size = _QUICK if ground.quick else _ALL
    group = "crowd"
    ground.site.client.create_group(group)
    identities = _enrol(ground, group, size)
    publish(ground.site.client, ground.package, "crowd-app", group, Pace())
    crowd = _Crowd(ground, this_platform(ground.site.folder).facts())
    threads = [threading.Thread(target=crowd.come_back, args=(identity,)) for identity in identities]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    crowd.gate.set()
    for thread in threads:
        thread.join()
    return Row(
        fault=f"{size} devices come back at once",
        injected=1,
        jobs=size,
        lost=tuple(crowd.failed),
        resumed_seconds=max(crowd.served, default=None),
        extra=f"told to come again {crowd.refused} times",
        seconds=time.monotonic() - began,
    )


def _enrol(ground: Ground, group: str, size: int) -> list[Identity]:
    token = ground.site.client.create_enrollment_token(EnrollmentTokenRequest(group=group, uses=size)).token
    facts = this_platform(ground.site.folder).facts()

    def one(number: int) -> Identity:
        with httpx.Client(base_url=ground.site.device_url, timeout=_TIMEOUT_SECONDS) as client:
            return enroll(client, token=token, name=f"crowd-{number}", facts=facts)

    with ThreadPoolExecutor(_ENROLLING_AT_ONCE) as pool:
        return list(pool.map(one, range(size)))


CROWD_FAULTS = (Fault("devices come back at once", comes_back, is_long=True),)
