"""Which apps have their place taken on a device: supersedence of apps that are themselves to be installed there.

The top of a chain wins, and takes the place of everything below it. An app that turns out not to be for the device
takes nobody's place (behaviour 2.9).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from control.planning.models import Relation
from control.relation_mode import RelationMode

#: The relations of an app at the revision the device is to have.
RelationsOf = Callable[[str], tuple[Relation, ...]]


def superseded_by(tops: Iterable[str], relations_of: RelationsOf) -> Mapping[str, str]:
    """The apps whose place is taken, directly or through others, each with the app at the top of its chain.

    Args:
        tops: The apps that are to be installed, in the order of their ids.
        relations_of: See `RelationsOf`.
    """
    found: dict[str, str] = {}
    for top in tops:
        for relation in _below(top, relations_of):
            found.setdefault(relation.app_id, top)
    return {app_id: _top(app_id, found) for app_id in found}


def replaced_by(top: str, relations_of: RelationsOf) -> tuple[str, ...]:
    """The apps that are to be uninstalled before the top is installed, directly or through others."""
    replaced = {relation.app_id for relation in _below(top, relations_of) if relation.mode is RelationMode.REPLACE}
    return tuple(sorted(replaced - {top}))


def _below(top: str, relations_of: RelationsOf) -> Iterator[Relation]:
    pending, seen = [top], {top}
    while pending:
        for relation in relations_of(pending.pop()):
            if relation.mode.is_dependency:
                continue
            yield relation
            if relation.app_id not in seen:
                seen.add(relation.app_id)
                pending.append(relation.app_id)


def _top(app_id: str, found: Mapping[str, str]) -> str:
    """Climb from one app to the one at the top; a cycle, which publishing refuses, has no end."""
    seen = {app_id}
    top = found[app_id]
    while top in found and top not in seen:
        seen.add(top)
        top = found[top]
    return top
