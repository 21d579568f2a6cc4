"""Why jobs are cancelled."""

from enum import StrEnum


class CancelReason(StrEnum):
    """Why a job is void."""

    #: Nobody wants it any more, or another revision or intent took its place.
    SUPERSEDED = "superseded"
    #: An operator said so; it is not planned again until an operator retries it or something else is wanted.
    OPERATOR = "operator"
    #: Its device was silent for too long; what is due is planned anew when the device comes back.
    EXPIRED = "expired"

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _SENTENCES[self]


_SENTENCES = {
    CancelReason.SUPERSEDED: "nobody wants it any more, or something else took its place",
    CancelReason.OPERATOR: "an operator cancelled it; it stays so until it is retried or something else is wanted",
    CancelReason.EXPIRED: "the device was silent for too long; what is due is planned anew when it comes back",
}
