"""What is wanted of the fleet, in one digest: where it has not changed, nobody's plan has, but for what devices said.

Left out are groups' members and what devices say: these concern single devices, and are planned for as they come.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.database.tables import Filter, Rollout, RolloutDevice
from control.planning.models import Demand
from control.planning.snapshot import load_demand
from control.rollouts.states import ACTIVE_STATES
from control.targeting import TimeBasis

#: The time zones of the world differ by whole quarters of an hour, and from UTC by less than this.
_QUARTER: Final = timedelta(minutes=15)
_FURTHEST_ZONE: Final = timedelta(hours=15)


def wanted_digest(session: Session, now: datetime) -> str:
    """SHA-256 in lower-case hex of all that is wanted now."""
    demand = load_demand(session, now)
    filters = session.execute(select(Filter.id, Filter.rule).order_by(Filter.id)).all()
    return digest_of((*_demanded(demand), *filters, *_rolled_out(session)))


def digest_of(parts: Iterable[object]) -> str:
    """SHA-256 in lower-case hex of values that show all they are."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
    return digest.hexdigest()


def passed_quarters(start_at: datetime, basis: TimeBasis, now: datetime) -> int:
    """Changes whenever the time passes anywhere: on clocks of devices zone after zone, else once."""
    if basis is TimeBasis.UTC:
        return int(now >= start_at)
    since = min(max(now - start_at, -_FURTHEST_ZONE), _FURTHEST_ZONE)
    return since // _QUARTER


def _demanded(demand: Demand) -> Iterator[object]:
    yield from (sorted(demand.apps.items()), sorted(demand.relations.items()))
    for _, assigned in sorted(demand.assignments.items()):
        for one in assigned:
            yield one
            if one.start_at is not None:
                yield passed_quarters(one.start_at, one.time_basis, demand.now)


def _rolled_out(session: Session) -> Iterator[tuple[Any, ...]]:
    about = (Rollout.id, Rollout.state, Rollout.revision, Rollout.rollback_revision, Rollout.baseline)
    admitted = func.count(RolloutDevice.admitted_at)
    rows = (
        select(*about, admitted)
        .outerjoin(RolloutDevice, RolloutDevice.rollout_id == Rollout.id)
        .where(Rollout.state.in_(ACTIVE_STATES))
        .group_by(*about)
        .order_by(Rollout.id)
    )
    for row in session.execute(rows):
        yield tuple(row)
