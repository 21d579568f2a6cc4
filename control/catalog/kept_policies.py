"""Signed policies as devices get them, kept in memory: they are the same for every device."""

from threading import Lock
from typing import Final

from cachetools import LRUCache
from starlette.concurrency import run_in_threadpool

from contract.clock import Clock
from contract.states import Intent
from control.catalog.policies import Order, PolicyOffice
from control.database.session import Database
from control.database.tables import PolicyRow, Revision

#: Bytes of signed policies kept at most.
_CAPACITY: Final = 32 * 1024 * 1024

#: App, revision, intent, way of delivery.
OrderKey = tuple[str, int, Intent, str]


class KeptPolicies:
    """Finds signed policies, and has those signed that are not there or too old."""

    def __init__(self, database: Database, office: PolicyOffice, clock: Clock) -> None:
        self._database = database
        self._office = office
        self._clock = clock
        self._kept: LRUCache[OrderKey, PolicyRow] = LRUCache(_CAPACITY, getsizeof=lambda row: len(row.envelope))
        self._lock = Lock()

    async def current(self, key: OrderKey, trusted_keys_version: int) -> PolicyRow:
        """The policy to hand out now; by the same rule as the office's, so a kept one is never older than it allows.

        Raises:
            UnavailableError: The database does not answer, or nothing can be signed now.
        """
        with self._lock:
            row = self._kept.get(key)
        if row is not None and self._office.is_fresh(row, trusted_keys_version, self._clock.now()):
            return row
        row = await run_in_threadpool(self._ask, key)
        with self._lock:
            if len(row.envelope) <= _CAPACITY:
                self._kept[key] = row
        return row

    def _ask(self, key: OrderKey) -> PolicyRow:
        (app_id, number, intent, settings_digest), now = key, self._clock.now()
        with self._database.snapshot() as session:
            order = Order(session.get_one(Revision, (app_id, number)), intent, settings_digest)
            row = self._office.fresh(session, order, now)
        if row is None:
            with self._database.transaction() as session:
                row = self._office.current(session, order, now)
        return row
