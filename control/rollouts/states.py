"""Where a rollout is, what can be done to it, and what that leads to: one table.

| the rollout is | start | pause | resume | halt | roll back | finish | settle | cancel |
|---|---|---|---|---|---|---|---|---|
| draft | running | | | | | | | cancelled |
| running | = | paused | = | halted | rolling back | finished | | cancelled |
| paused | | = | running | halted | rolling back | | | cancelled |
| halted | | | running | = | rolling back | | | cancelled |
| rolling back | | | | | = | | rolled back | |
| finished, rolled back, cancelled | | | | | | | | |

`=` is where doing it again changes nothing; what is over can be ended again in its own way, too. Everything else is
refused. A pause or a halt lets nothing begin that has not been sent; what devices have got goes on.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from contract.error_codes import ErrorCode
from contract.errors import InputError


class RolloutState(StrEnum):
    """Where a rollout is."""

    #: Made, not started: its devices keep what they have.
    DRAFT = "draft"
    #: Devices are admitted, ring by ring.
    RUNNING = "running"
    #: An operator stopped it for a while.
    PAUSED = "paused"
    #: A failure gate, or an operator, stopped it.
    HALTED = "halted"
    #: The devices that were admitted get the revision from before.
    ROLLING_BACK = "rolling-back"
    #: Every ring has passed its gate.
    FINISHED = "finished"
    #: The devices that were admitted have the revision from before.
    ROLLED_BACK = "rolled-back"
    #: Given up: devices that were admitted keep the revision, all others what they had.
    CANCELLED = "cancelled"


#: A rollout in one of these states decides which revision its app's devices get; an app has at most one such.
ACTIVE_STATES: Final = (
    RolloutState.DRAFT,
    RolloutState.RUNNING,
    RolloutState.PAUSED,
    RolloutState.HALTED,
    RolloutState.ROLLING_BACK,
)


class OperatorAction(StrEnum):
    """What an operator can do to a rollout."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    HALT = "halt"
    ROLL_BACK = "rollback"
    CANCEL = "cancel"

    @property
    def action(self) -> "RolloutAction":
        """The same among all actions."""
        return RolloutAction(self.value)


class RolloutAction(StrEnum):
    """What can be done to a rollout."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    HALT = "halt"
    ROLL_BACK = "rollback"
    CANCEL = "cancel"
    #: All rings are through; done by the rollout itself.
    FINISH = "finish"
    #: All admitted devices are back; done by the rollout itself.
    SETTLE = "settle"


_A, _S = RolloutAction, RolloutState

#: (state, action) to the state that follows; the same state where doing it again changes nothing.
TRANSITIONS: Final[Mapping[tuple[RolloutState, RolloutAction], RolloutState]] = MappingProxyType(
    {
        (_S.DRAFT, _A.START): _S.RUNNING,
        (_S.DRAFT, _A.CANCEL): _S.CANCELLED,
        (_S.RUNNING, _A.START): _S.RUNNING,
        (_S.RUNNING, _A.PAUSE): _S.PAUSED,
        (_S.RUNNING, _A.RESUME): _S.RUNNING,
        (_S.RUNNING, _A.HALT): _S.HALTED,
        (_S.RUNNING, _A.ROLL_BACK): _S.ROLLING_BACK,
        (_S.RUNNING, _A.FINISH): _S.FINISHED,
        (_S.RUNNING, _A.CANCEL): _S.CANCELLED,
        (_S.PAUSED, _A.PAUSE): _S.PAUSED,
        (_S.PAUSED, _A.RESUME): _S.RUNNING,
        (_S.PAUSED, _A.HALT): _S.HALTED,
        (_S.PAUSED, _A.ROLL_BACK): _S.ROLLING_BACK,
        (_S.PAUSED, _A.CANCEL): _S.CANCELLED,
        (_S.HALTED, _A.RESUME): _S.RUNNING,
        (_S.HALTED, _A.HALT): _S.HALTED,
        (_S.HALTED, _A.ROLL_BACK): _S.ROLLING_BACK,
        (_S.HALTED, _A.CANCEL): _S.CANCELLED,
        (_S.ROLLING_BACK, _A.ROLL_BACK): _S.ROLLING_BACK,
        (_S.ROLLING_BACK, _A.SETTLE): _S.ROLLED_BACK,
        (_S.FINISHED, _A.FINISH): _S.FINISHED,
        (_S.ROLLED_BACK, _A.ROLL_BACK): _S.ROLLED_BACK,
        (_S.ROLLED_BACK, _A.SETTLE): _S.ROLLED_BACK,
        (_S.CANCELLED, _A.CANCEL): _S.CANCELLED,
    }
)


def after(state: RolloutState, action: RolloutAction, *, name: str = "") -> RolloutState:
    """The state that follows.

    Args:
        state: Where the rollout is.
        action: What is done to it.
        name: The rollout's name, for the error.

    Raises:
        InputError: ROLLOUT_STATE_WRONG: the table has no such row.
    """
    following = TRANSITIONS.get((state, action))
    if following is None:
        possible = ", ".join(possible_actions(state)) or "nothing more"
        detail = f"it is {state}; {action} cannot be done to it now, possible: {possible}"
        raise InputError(ErrorCode.ROLLOUT_STATE_WRONG, place=name, detail=detail)
    return following


def possible_actions(state: RolloutState) -> tuple[OperatorAction, ...]:
    """What an operator can do that changes something."""
    return tuple(one for one in OperatorAction if TRANSITIONS.get((state, one.action), state) is not state)
