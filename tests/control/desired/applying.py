"""Apply documents to a control plane under test, and read them back."""

from control.desired.apply import Changer
from control.desired.canonical import State
from control.desired.current import load_state
from control.desired.plan import plan_changes
from tests.control.plane import Plane


def apply(plane: Plane, state: State, *, prune: bool = False) -> int:
    """Apply a state; how many changes that took."""
    with plane.services.database.transaction() as session:
        changes = plan_changes(load_state(session), state, prune=prune)
        changer = Changer(session, plane.services.policies, actor="test", now=plane.clock.now())
        for change in changes:
            changer.carry_out(change)
    return len(changes)


def there(plane: Plane) -> State:
    with plane.services.database.snapshot() as session:
        return load_state(session)
