"""Look for devices' messages at each shard where they could be."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import load_only
from structlog import get_logger

from contract.errors import UnavailableError
from control.database.session import Database
from control.database.tables import Device
from control.dispatch.ports import QueueInspector
from control.shards.placement import PLACES, places_of

_log = get_logger(__name__)

#: Devices looked up with one statement.
_BATCH: Final = 500


class ShardedInspector:
    """The `QueueInspector` of several shards.

    A shard that does not answer may hold anything: nothing is known to be lost of the devices that have a place there.
    """

    def __init__(self, database: Database, inspectors: Mapping[str, QueueInspector]) -> None:
        self._database = database
        self._inspectors = inspectors

    def without_messages(self, device_ids: Collection[str]) -> frozenset[str]:
        """See `QueueInspector.without_messages`; it raises nothing."""
        found: set[str] = set()
        for shard, wanted in self._by_shard(sorted(device_ids)).items():
            found |= wanted - self._empty(shard, wanted)
        return frozenset(device_ids) - found

    def _empty(self, shard: str, device_ids: set[str]) -> frozenset[str]:
        try:
            return self._inspectors[shard].without_messages(device_ids)
        except UnavailableError as error:
            _log.warning("the shard cannot be asked what it has lost", shard=shard, error=str(error))
            return frozenset()

    def _by_shard(self, device_ids: list[str]) -> dict[str, set[str]]:
        asked: dict[str, set[str]] = defaultdict(set)
        with self._database.snapshot() as session:
            for start in range(0, len(device_ids), _BATCH):
                rows = select(Device).where(Device.id.in_(device_ids[start : start + _BATCH]))
                for device in session.scalars(rows.options(load_only(*PLACES))):
                    for shard in places_of(device, self._inspectors):
                        asked[shard].add(device.id)
        return asked
