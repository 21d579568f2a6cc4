"""Apply documents to a control plane under test, and read them back."""

from control.desired.apply import Changer
from control.desired.canonical import State
from control.desired.current import load_state
from control.desired.documents import NEWEST, AppDocument, Document, GroupDocument
from control.desired.members import with_known_members
from control.desired.plan import plan_changes
from tests.control.plane import Plane


def apply(plane: Plane, state: State, *, prune: bool = False) -> int:
    """Apply a state; how many changes that took."""
    named = [one.name for one in state.values() if isinstance(one, GroupDocument) and one.members is not None]
    with plane.services.database.transaction() as session:
        changes = plan_changes(load_state(session, named), with_known_members(session, state), prune=prune)
        changer = Changer(session, plane.services.policies, actor="test", now=plane.clock.now())
        for change in changes:
            changer.carry_out(change)
        changer.finish()
    return len(changes)


def there(plane: Plane) -> State:
    """What is there, without pins that are none."""
    with plane.services.database.snapshot() as session:
        return {key: _without_no_pin(document) for key, document in load_state(session).items()}


def members(plane: Plane, group: str) -> tuple[str, ...] | None:
    """The devices of a group that has no rule."""
    with plane.services.database.snapshot() as session:
        document = load_state(session, [group])["Group", group]
    assert isinstance(document, GroupDocument)
    return document.members


def _without_no_pin(document: Document) -> Document:
    is_unpinned = isinstance(document, AppDocument) and document.pin == NEWEST
    return document.model_copy(update={"pin": None}) if is_unpinned else document
