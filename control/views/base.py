"""What all requests and answers of the operators' API have in common."""

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Request(BaseModel):
    """A request; what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
