"""Changes as people read them."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from control.desired.plan import Action
from control.views.changes import ChangesView, ChangeView

_SIGNS: Final = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_WORDS: Final = {Action.CREATE: "to create", Action.UPDATE: "to change", Action.DELETE: "to remove"}
#: A manifest in full would hide the rest.
_MAX_VALUE_LENGTH: Final = 100


def change_lines(change: ChangeView) -> list[str]:
    """One document that changes, with the fields that do."""
    lines = [f"{_SIGNS[change.action]} {change.kind} {change.name}"]
    if change.action is Action.DELETE:
        return lines
    for field in change.fields:
        # What the name says already is not said again.
        if change.action is Action.CREATE and field.name in {"name", "app", "group"}:
            continue
        if field.name == "members":
            lines.append(f"    members: {_comings_and_goings(field.after or [], field.before or [])}")
            continue
        arrow = f"{_value(field.before)} -> " if change.action is Action.UPDATE else ""
        lines.append(f"    {field.name}: {arrow}{_value(field.after)}")
    return lines


def counts_line(planned: ChangesView) -> str:
    """How many documents change."""
    counts = Counter(change.action for change in planned.changes)
    if not counts:
        return "Nothing to change."
    return ", ".join(f"{counts[action]} {_WORDS[action]}" for action in Action) + "."


def _comings_and_goings(come: Sequence[str], go: Sequence[str]) -> str:
    return ", ".join(
        f"{len(names)} {word} ({_shortened(' '.join(names))})" for names, word in ((come, "in"), (go, "out")) if names
    )


def _value(value: Any) -> str:
    return _shortened("nothing" if value is None else json.dumps(value, ensure_ascii=False))


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[:_MAX_VALUE_LENGTH]}..."
