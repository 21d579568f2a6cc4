"""The devices that documents name: which they are, and who is in which group now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.database.tables import Device, Group, GroupMember
from control.desired.canonical import State
from control.desired.documents import GroupDocument, key_of

#: Names asked for at once.
_BATCH: Final = 500
#: Names that an error lists.
_SHOWN: Final = 5


def with_known_members(session: Session, state: State) -> State:
    """The same documents, each device under the one name that `members_of` gives it.

    Raises:
        NotFoundError: UNKNOWN_DEVICE: one is not enrolled, or several have its name.
    """
    named = {key: one for key, one in state.items() if isinstance(one, GroupDocument) and one.members is not None}
    if not named:
        return state
    shared = _shared_names(session)
    known = {}
    for key, group in named.items():
        devices = _devices(session, " ".join(key), group.members or ())
        known[key] = group.model_copy(update={"members": _labels(devices, shared)})
    return {**state, **known}


def members_of(session: Session, groups: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """The enrolled devices in these groups, sorted: each by its name, or by its id where others have that name, too."""
    if not groups:
        return {}
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in groups}
    for part in _parts(sorted(groups)):
        rows = (
            select(Group.name, Device.id, Device.name)
            .join(GroupMember, GroupMember.group_id == Group.id)
            .join(Device, Device.id == GroupMember.device_id)
            .where(Group.name.in_(part), Device.retired_at.is_(None))
        )
        for group, device_id, name in session.execute(rows):
            found[group].append((device_id, name))
    shared = _shared_names(session)
    return {group: _labels(devices, shared) for group, devices in found.items()}


def device_ids(session: Session, document: GroupDocument) -> frozenset[str]:
    """The ids of the devices that a document names.

    Raises:
        NotFoundError: UNKNOWN_DEVICE: one is not enrolled, or several have its name.
    """
    devices = _devices(session, " ".join(key_of(document)), document.members or ())
    return frozenset(device_id for device_id, _ in devices)


def _devices(session: Session, place: str, wanted: Sequence[str]) -> set[tuple[str, str]]:
    """Id and name of each device that is named; a name that is some device's id means that device."""
    found = dict(_enrolled(session, wanted))
    by_name: dict[str, list[str]] = {}
    for device_id, name in found.items():
        by_name.setdefault(name, []).append(device_id)
    unknown = [one for one in wanted if one not in found and one not in by_name]
    _refuse(place, unknown, "no enrolled device has this name or id")
    unclear = [one for one in wanted if one not in found and len(by_name[one]) > 1]
    _refuse(place, unclear, "several devices have this name; give their ids")
    ids = {one if one in found else by_name[one][0] for one in wanted}
    return {(device_id, found[device_id]) for device_id in ids}


def _enrolled(session: Session, wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    for part in _parts(list(dict.fromkeys(wanted))):
        named = or_(Device.id.in_(part), Device.name.in_(part))
        rows = session.execute(select(Device.id, Device.name).where(named, Device.retired_at.is_(None)))
        yield from ((device_id, name) for device_id, name in rows)


def _refuse(place: str, names: Sequence[str], words: str) -> None:
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        detail = f"members: {words}: {', '.join(names[:_SHOWN])}{more}"
        raise NotFoundError(ErrorCode.UNKNOWN_DEVICE, place=place, detail=detail)


def _labels(devices: Iterable[tuple[str, str]], shared: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(device_id if name in shared else name for device_id, name in devices))


def _shared_names(session: Session) -> frozenset[str]:
    """Names that several enrolled devices have."""
    names = select(Device.name).where(Device.retired_at.is_(None)).group_by(Device.name)
    return frozenset(session.scalars(names.having(func.count() > 1)))


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _BATCH] for start in range(0, len(names), _BATCH))
