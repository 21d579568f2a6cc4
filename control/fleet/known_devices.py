"""The enrolled devices' keys, as every request of every device needs them: kept for some seconds.

A job's requests come within seconds of each other and need one look into the database. What this process itself
changes, a new key or a retirement, it forgets at once; of what another process changes it hears when the time is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from cachetools import TTLCache
from sqlalchemy import select

from contract.clock import Clock
from control.database.among import among
from control.database.session import Database
from control.database.tables import Device
from control.grouped_calls import GroupedCalls

#: A retired device is to be shut out within a minute, and this is much less.
KEPT_SECONDS: Final = 10.0
#: Devices kept at most: some 500 bytes each.
_CAPACITY: Final = 50_000


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


#: One device, or none where no such device is enrolled.
_Found = tuple[KnownDevice, ...]

_TABLE = Device.__table__.c
#: Columns, not objects that a session would watch.
_ENROLLED: Final = select(_TABLE.id, _TABLE.signing_key, _TABLE.sealing_key).where(
    among(_TABLE.id, "ids"), _TABLE.retired_at.is_(None)
)


class KnownDevices:
    """Finds enrolled devices by their ids."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._kept: TTLCache[str, KnownDevice] = TTLCache(_CAPACITY, KEPT_SECONDS, timer=clock.monotonic)
        self._lock = Lock()
        self._forgotten = 0
        self._calls = GroupedCalls("device-keys", self._look_up, self._look_up_one)

    def kept(self, device_id: str) -> KnownDevice | None:
        """The device, where it was found a short time ago; asks nobody."""
        with self._lock:
            return self._kept.get(device_id)

    async def find(self, device_id: str) -> KnownDevice | None:
        """The device as the database has it; None where no such device is enrolled.

        Raises:
            UnavailableError: The database does not answer.
        """
        before = self._forgotten
        for device in await self._calls.call(device_id):
            self._keep(device, before)
            return device
        return None

    def forget(self, device_id: str) -> None:
        """Ask anew for this one: called after the commit that retired it or changed its keys."""
        with self._lock:
            self._forgotten += 1
            self._kept.pop(device_id, None)

    def forget_all(self) -> None:
        """Ask anew for everyone: called after a commit that may have retired one of them."""
        with self._lock:
            self._forgotten += 1
            self._kept.clear()

    def _keep(self, device: KnownDevice, before: int) -> None:
        with self._lock:
            # What was read while a device was being forgotten may be what it was before.
            if before == self._forgotten:
                self._kept[device.id] = device

    def _look_up(self, device_ids: Sequence[str]) -> Sequence[_Found]:
        rows = self._database.rows(_ENROLLED, {"ids": sorted(set(device_ids))})
        found = {row.id: KnownDevice(*row) for row in rows}
        return [(found[device_id],) if device_id in found else () for device_id in device_ids]

    def _look_up_one(self, device_id: str) -> _Found:
        return self._look_up([device_id])[0]
