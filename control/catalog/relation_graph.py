"""The graph of relations between apps: what it must never hold, as pure functions.

An arrow leads from an app to each app that its deployed revision depends on, or takes the place of.
"""

from collections.abc import Mapping
from typing import Final

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.relation_mode import RelationMode

#: An app with everything it depends on, directly or through others (behaviour 2.9).
MAX_DEPENDENCY_NODES: Final = 101
#: An app with everything it takes the place of (behaviour 2.9).
MAX_SUPERSEDENCE_NODES: Final = 11

#: For each app, by name, the apps it is related to.
RelationGraph = Mapping[str, Mapping[str, RelationMode]]


def require_sound(graph: RelationGraph, changed: str) -> None:
    """Let pass only a graph in which the app that changes begins no cycle, and no app has too much below it.

    Raises:
        InputError: RELATION_CYCLE with the path, or RELATION_LIMIT with the app and its number of apps.
    """
    path = cycle_through(graph, changed)
    if path:
        raise InputError(ErrorCode.RELATION_CYCLE, place=changed, detail=" -> ".join(path))
    for app in sorted({changed, *(one for one in graph if changed in below(graph, one))}):
        _require_small(graph, app)


def cycle_through(graph: RelationGraph, app: str) -> tuple[str, ...]:
    """The shortest way from an app back to itself, of several the first by name; empty where there is none."""
    ways: dict[str, tuple[str, ...]] = {app: (app,)}
    level = [app]
    while level:
        following: list[str] = []
        for one in level:
            for related in sorted(graph.get(one, ())):
                if related == app:
                    return (*ways[one], app)
                if related not in ways:
                    ways[related] = (*ways[one], related)
                    following.append(related)
        level = following
    return ()


def below(graph: RelationGraph, app: str, *, dependencies: bool | None = None) -> frozenset[str]:
    """All apps that an app is related to, directly or through others.

    Args:
        graph: The graph.
        app: Where to begin.
        dependencies: Follow dependencies only, or supersedence only; None for both.
    """
    found: set[str] = set()
    pending = [app]
    while pending:
        for related, mode in graph.get(pending.pop(), {}).items():
            if related not in found and dependencies in {None, mode.is_dependency}:
                found.add(related)
                pending.append(related)
    return frozenset(found)


def _require_small(graph: RelationGraph, app: str) -> None:
    for dependencies, limit, words in (
        (True, MAX_DEPENDENCY_NODES, "depends on"),
        (False, MAX_SUPERSEDENCE_NODES, "takes the place of"),
    ):
        nodes = len(below(graph, app, dependencies=dependencies)) + 1
        if nodes > limit:
            detail = f"with what it {words} it is {nodes} apps, at most {limit} are possible"
            raise InputError(ErrorCode.RELATION_LIMIT, place=app, detail=detail)
