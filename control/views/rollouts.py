"""Rollouts: how they are asked for, and how they are doing."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from contract.policy import FailureClass
from contract.states import Applicability
from control.rollouts.counts import Standing
from control.rollouts.spec import Name, RolloutSpec
from control.rollouts.states import OperatorAction, RolloutState
from control.views.base import Request, View


class RolloutRequest(Request):
    """A rollout of an app's newest revision.

    Attributes:
        app: The app's name or id.
        revision: Only this one is meant: refused where it is not the newest any more. None for the newest.
        name: None for one made of app and revision.
    """

    app: str
    revision: Annotated[int, Field(ge=1)] | None = None
    name: Name | None = None
    spec: RolloutSpec = RolloutSpec()


class RolloutOrder(Request):
    """Something to be done to a rollout.

    Attributes:
        reason: Why, for whoever reads its history.
    """

    reason: Annotated[str, Field(max_length=1000)] = ""


class GateView(View):
    """What a gate says.

    Attributes:
        holds: Whether the success gate is met, or the failure gate has tripped.
        words: The figures it was judged by.
    """

    holds: bool
    words: str


class RingView(View):
    """One ring of a rollout.

    Attributes:
        standings: How many of its devices have each standing; those with none are left out.
        failed: Devices whose attempts are used up, by the class of what went wrong.
        soaks_until: When its soak is over, once it has begun.
    """

    name: str
    devices: int
    standings: dict[Standing, int]
    failed: dict[FailureClass, int]
    accepted_failures: int
    opened_at: datetime | None
    soak_since: datetime | None
    soaks_until: datetime | None
    passed_at: datetime | None
    success: GateView
    failure: GateView


class RolloutView(View):
    """A rollout.

    Attributes:
        baseline: What devices have that it has not reached; None for nothing.
        rollback_revision: What brings the baseline back, once it is being rolled back.
        reason: Why it is in its state.
    """

    id: str
    name: str
    app: str
    revision: int
    baseline: int | None
    rollback_revision: int | None
    state: RolloutState
    reason: str
    created_at: datetime
    started_at: datetime | None
    changed_at: datetime
    finished_at: datetime | None


class RolloutDetail(RolloutView):
    """A rollout with all that it is doing.

    Attributes:
        next_action: What happens next and what it waits for, in words.
        possible: What an operator can do to it now.
    """

    spec: RolloutSpec
    rings: tuple[RingView, ...]
    next_action: str
    possible: tuple[OperatorAction, ...]


class RolloutDeviceView(View):
    """A device of a rollout.

    Attributes:
        admitted_at: Since then it gets the revision; None while it is held.
        error_code: The error's name in the table, where its newest attempt failed.
    """

    device_id: str
    device: str
    ring: str
    standing: Standing
    joined_at: datetime
    admitted_at: datetime | None
    error_code: str | None


class RolloutEventView(View):
    """Something that happened to a rollout.

    Attributes:
        actor: Who did it; `rollout` for what it did by itself.
    """

    sequence: int
    at: datetime
    actor: str
    what: str
    detail: str


class ForecastRingView(View):
    """What one ring would come to.

    Attributes:
        online: How many of its devices are online now.
        seconds: How long it would take with its soak; None where nothing is known of how long the app takes.
        some_devices: Names of the first of them.
    """

    name: str
    devices: int
    online: int
    bytes: int
    seconds: float | None
    some_devices: tuple[str, ...]


class UnsuitedDeviceView(View):
    """A device that the app would not be installed on, as far as its facts tell.

    Attributes:
        applicability: The number it would report.
        words: What was compared with what.
    """

    device: str
    applicability: Applicability
    words: str


class RolloutForecast(View):
    """What a rollout would do; nothing was changed to find out.

    Attributes:
        bytes: What all its devices would fetch.
        seconds: How long it would take at least, with all soaks; None where nothing is known of how long the app takes.
        seconds_per_device: The median of what is known of that.
        measured_on: How many attempts it is known from.
        not_applicable: How many devices the app is not for; `unsuited` names the first of them.
        warnings: What may surprise.
    """

    app: str
    revision: int
    baseline: int | None
    devices: int
    rings: tuple[ForecastRingView, ...]
    bytes: int
    seconds: float | None
    seconds_per_device: float | None
    measured_on: int
    not_applicable: int
    unsuited: tuple[UnsuitedDeviceView, ...]
    warnings: tuple[str, ...]
