"""Two transactions at the same time, in the order that an unlucky moment has; on PostgreSQL, where both may write."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from control.database.session import Database
from deploy.local.polling import wait_until

_WAITING: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
#: Seconds after which the second one is taken to hang.
_SECONDS = 30

_T = TypeVar("_T")


def overtake(
    database: Database,
    first: Callable[[Session], object],
    second: Callable[[], _T],
    then: Callable[[Session], object] = lambda _session: None,
) -> _T:
    """What the second one comes to, which has begun while what the first one wrote was not committed yet.

    Args:
        database: A PostgreSQL database that nobody else uses.
        first: Writes, in a transaction that is committed once the second one waits for it or has ended.
        second: Writes the same in a transaction of its own.
        then: What the first one does while the second one waits for it.
    """
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            first(session)
            session.flush()
            result = pool.submit(second)
            assert wait_until(lambda: result.done() or _somebody_waits(database), seconds=_SECONDS)
            then(session)
        return result.result(_SECONDS)


def _somebody_waits(database: Database) -> bool:
    with database.snapshot() as session:
        return bool(session.scalar(_WAITING))
