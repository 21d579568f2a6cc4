"""What an operator says about a rollout: rings, gates, limits, windows; kept with the rollout as it was said."""

from itertools import pairwise
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from contract.maintenance import MaintenanceWindow
from contract.policy import FailureClass

#: More stages than anybody watches.
MAX_RINGS: Final = 20
_WHOLE: Final = 100.0

Percent = Annotated[float, Field(ge=0, le=_WHOLE)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


def _in_order(classes: tuple[FailureClass, ...]) -> tuple[FailureClass, ...]:
    """Each once, in the order of their table: the same gate always reads the same."""
    return tuple(kind for kind in FailureClass if kind in classes)


class _Part(BaseModel):
    """A frozen part of a rollout; what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SuccessGate(_Part):
    """How much of a ring must be as wanted before the next one is opened.

    Attributes:
        percent: Of the ring's devices that can tell: those that the app does not apply to, those that are offline
            without a result, and failures that an operator accepted are left out.
    """

    percent: Percent = 90.0


class FailureGate(_Part):
    """How much of a ring may fail before the rollout halts.

    Attributes:
        percent: Of the same devices that the success gate looks at; more than that halts. None for any.
        count: So many failed devices halt, whatever their share. None for any.
        classes: Only failures of these classes count.
        first_attempts: Whether a device counts when its first attempt fails, not only when it has used its attempts up.
    """

    percent: Percent | None = 10.0
    count: Annotated[int, Field(ge=1)] | None = None
    classes: Annotated[tuple[FailureClass, ...], AfterValidator(_in_order)] = Field(
        default=tuple(FailureClass), min_length=1
    )
    first_attempts: bool = False


class Ring(_Part):
    """One stage: which devices, what must come of them, and how long that must stand.

    Attributes:
        percent: Share of all devices of the rollout.
        count: So many devices.
        groups: The devices of these groups that no earlier ring has, and late joiners of them.
        soak_seconds: How long the success gate must have been met before the next ring is opened.
    """

    name: Name
    percent: Annotated[float, Field(gt=0, le=_WHOLE)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    groups: tuple[Name, ...] = ()
    soak_seconds: Annotated[float, Field(ge=0, le=90 * 86_400)] = 0.0
    success: SuccessGate = SuccessGate()
    failure: FailureGate = FailureGate()

    @property
    def is_rest(self) -> bool:
        """Whether it says nothing of its size: it takes what no other ring has."""
        return self.percent is None and self.count is None and not self.groups

    @model_validator(mode="after")
    def _has_one_size(self) -> Self:
        sizes = [self.percent is not None, self.count is not None, bool(self.groups)]
        if sum(sizes) > 1:
            raise ValueError(f"ring {self.name!r} has several sizes: expected one of percent, count and groups")
        return self


class ConcurrencyLimits(_Part):
    """How many devices may be at work at once; None and what is not named mean any number.

    Attributes:
        rollout: Of the whole rollout.
        groups: Of each named group.
        sites: Of each named site.
        each_site: Of every other site, and of the devices without one together.
    """

    rollout: Annotated[int, Field(ge=1)] | None = None
    groups: dict[Name, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    sites: dict[Name, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    each_site: Annotated[int, Field(ge=1)] | None = None

    @property
    def bounds_anything(self) -> bool:
        """Whether there is any limit."""
        return self.rollout is not None or self.each_site is not None or bool(self.groups or self.sites)


class AdmissionWindow(MaintenanceWindow):
    """A window; what it does not know is refused, while policies keep it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RolloutSpec(_Part):
    """All that is said about a rollout besides app and revision.

    Attributes:
        rings: In the order in which they are opened; the last one takes all devices that are left.
        windows: A device is admitted only while one of them is open by its own clock; none for any time.
        rollback_on_failure: Whether a failure gate rolls back instead of only halting.
    """

    rings: tuple[Ring, ...] = Field(default=(Ring(name="all"),), min_length=1, max_length=MAX_RINGS)
    limits: ConcurrencyLimits = ConcurrencyLimits()
    windows: tuple[AdmissionWindow, ...] = Field(default=(), max_length=50)
    rollback_on_failure: bool = False

    @model_validator(mode="after")
    def _rings_fit_together(self) -> Self:
        names = sorted(ring.name for ring in self.rings)
        twice = [name for name, following in pairwise(names) if name == following]
        if twice:
            raise ValueError(f"two rings are named {twice[0]!r}: expected a name of its own for each")
        *before, last = self.rings
        if any(ring.is_rest for ring in before):
            raise ValueError("only the last ring can do without a size: it takes all devices that are left")
        if last.count is not None or last.groups:
            raise ValueError(
                f"the last ring, {last.name!r}, takes all devices that are left: expected no count, no groups"
            )
        shares = sum(ring.percent or 0.0 for ring in self.rings)
        if shares > _WHOLE:
            raise ValueError(f"the rings' shares add up to {shares:g} %: expected at most 100 %")
        only_shares = all(ring.percent is not None for ring in self.rings)
        if last.percent is not None and not (only_shares and shares == _WHOLE):
            found = f"expected no size, or shares that add up to 100 %; found {shares:g} %"
            raise ValueError(f"the last ring, {last.name!r}, takes all devices that are left: {found}")
        return self
