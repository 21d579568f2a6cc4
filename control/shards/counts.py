"""How many devices are where."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from control.database.tables import Device
from control.shards.placement import is_at


@dataclass(frozen=True)
class ShardCount:
    """Enrolled devices of one shard.

    Attributes:
        here: They listen there.
        coming: They are told to go there.
        left: They have gone from there, and what they left is not cleared away yet.
    """

    shard: str
    here: int
    coming: int
    left: int


def shard_counts(session: Session, shards: Collection[str]) -> list[ShardCount]:
    """The devices of each shard."""

    def count(condition: ColumnElement[bool]) -> int:
        found = select(func.count()).select_from(Device).where(Device.retired_at.is_(None), condition)
        return session.scalar(found) or 0

    return [
        ShardCount(
            shard,
            here=count(is_at(shard, shards)),
            coming=count(Device.next_shard == shard),
            left=count(Device.left_shard == shard),
        )
        for shard in shards
    ]
