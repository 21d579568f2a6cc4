"""What all requests and answers of the operators' API have in common."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """An answer.

    Attributes:
        OUTSIDE_TAG: Fields that its ETag leaves out: they follow from the clock, or from a sign of life, while the
            thing itself is as it was.
    """

    OUTSIDE_TAG: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Request(BaseModel):
    """A request; what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
