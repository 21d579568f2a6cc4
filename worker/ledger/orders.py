"""What an operator has ordered about jobs that this device has."""

from datetime import datetime

from contract.jobs import JobRef
from contract.uplink import JobOrder, OrderKind
from worker.ledger.database import Database


class Orders:
    """The newest order about each job; it concerns the generation it names and all older ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, order: JobOrder, *, now: datetime) -> bool:
        """Remember an order.

        Returns:
            Whether it is new; a stop follows a cancel, never the other way round.
        """
        if self._outweighs(self.get(order.job_id), order):
            return False
        self._database.execute(
            "INSERT OR REPLACE INTO orders (job_id, generation, kind, noted_at) VALUES (?, ?, ?, ?)",
            (order.job_id, order.generation, order.kind, now.isoformat()),
        )
        return True

    def get(self, job_id: str) -> JobOrder | None:
        """The newest order about a job; None for none."""
        row = self._database.row("SELECT * FROM orders WHERE job_id = ?", (job_id,))
        return None if row is None else JobOrder(job_id=job_id, generation=row["generation"], kind=row["kind"])

    def cancels(self, ref: JobRef) -> bool:
        """Whether the attempt is to end at its next safe point, or now."""
        order = self.get(ref.job_id)
        return order is not None and ref.generation <= order.generation

    def stops(self, ref: JobRef) -> bool:
        """Whether the attempt's command is to be ended now."""
        order = self.get(ref.job_id)
        return order is not None and order.kind is OrderKind.STOP and ref.generation <= order.generation

    def prune(self, before: datetime) -> None:
        """Forget orders noted before then about jobs of which nothing is remembered."""
        self._database.execute(_PRUNE, (before.isoformat(),))

    @staticmethod
    def _outweighs(known: JobOrder | None, order: JobOrder) -> bool:
        if known is None:
            return False
        if known.generation != order.generation:
            return known.generation > order.generation
        return known.kind is order.kind or known.kind is OrderKind.STOP


_PRUNE = "DELETE FROM orders WHERE noted_at < ? AND job_id NOT IN (SELECT job_id FROM jobs)"
