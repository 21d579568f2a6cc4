"""Which jobs are meant."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract.jobs import JobState
from contract.states import Outcome
from control.views.base import Request

#: No name is longer.
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class JobQuery(BaseModel):
    """The newest jobs of what is named here: of all of it where several things are named.

    Attributes:
        target: An app, rollout, group or device, whichever has this name.
        device: By name or id.
        state: In this state only.
        outcome: Whose newest attempt ended so.
        error_code: With this error, by its name in the table.
    """

    model_config = ConfigDict(frozen=True)

    target: _Name | None = None
    app: _Name | None = None
    group: _Name | None = None
    device: _Name | None = None
    rollout: _Name | None = None
    state: JobState | None = None
    outcome: Outcome | None = None
    error_code: _Name | None = None


class JobSelection(JobQuery, Request):
    """The jobs that something is to be done to.

    Attributes:
        everything: The whole fleet is meant; it never is by leaving all else out.
    """

    everything: bool = False
