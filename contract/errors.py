"""The one family of exceptions.

OutriderError
├── InputError          what a user gave is wrong: the user corrects it
│   ├── DocumentError   a document from the other side or from a file
│   ├── NotFoundError   a name that stands for nothing
│   └── PackageError    an .intunewin package or its source
├── TrustError          a signature, token or seal does not hold: someone looks into it
│   └── ClockSkewedError
├── PhaseError          a phase of a job failed: the attempt ends and is reported
├── StoreError          the content store refused
│   └── ObjectMissingError
└── UnavailableError    a part does not answer: later may work
    └── RateLimitedError
"""

from datetime import datetime
from typing import ClassVar

from contract.error_codes import ErrorCode
from contract.exit_statuses import ExitStatus


class OutriderError(Exception):
    """An error that a person can act on.

    Attributes:
        code: The row of the error table: sentence, hint, whether a retry can help.
        detail: The facts of this case: what was found and what was expected.
        place: Where: a file, a field, a rule, an address.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.FAILED

    def __init__(self, code: ErrorCode, *, detail: str = "", place: str = "") -> None:
        self.code = code
        self.detail = detail
        self.place = place
        super().__init__(code, detail, place)

    def __str__(self) -> str:
        parts = [self.code.sentence]
        if self.place:
            parts.append(f"[{self.place}]")
        if self.detail:
            parts.append(self.detail)
        return " ".join(parts)

    def fields(self) -> dict[str, str | bool]:
        """The error for a program; every command's `--json` prints these."""
        return {
            "code": self.code.slug,
            "sentence": self.code.sentence,
            "detail": self.detail,
            "place": self.place,
            "hint": self.code.hint,
            "retry_helps": self.code.retry_helps,
        }


class InputError(OutriderError):
    """What a user gave is wrong."""

    exit_status = ExitStatus.USAGE


class DocumentError(InputError):
    """A document cannot be understood."""


class NotFoundError(InputError):
    """A name stands for nothing."""


class PackageError(InputError):
    """A package, or the folder one is to be built from, is not as it must be."""


class TrustError(OutriderError):
    """A signature, token or seal does not hold."""

    exit_status = ExitStatus.REFUSED


class ClockSkewedError(TrustError):
    """A request was signed by a clock that is too far off.

    Attributes:
        server_time: The time by the clock of who refused it.
    """

    def __init__(self, server_time: datetime, *, detail: str = "", place: str = "") -> None:
        super().__init__(ErrorCode.CLOCK_SKEWED, detail=detail, place=place)
        self.server_time = server_time


class PhaseError(OutriderError):
    """A phase of a job failed for good: the attempt ends with this error and is reported.

    Attributes:
        number: The code to report where it is more exact than the row's own, such as the HRESULT of an exit code.
        raw_exit_code: The installer's exit code as the system gave it.
    """

    def __init__(
        self,
        code: ErrorCode,
        *,
        detail: str = "",
        place: str = "",
        number: int | None = None,
        raw_exit_code: int | None = None,
    ) -> None:
        super().__init__(code, detail=detail, place=place)
        self.number = code.number if number is None else number
        self.raw_exit_code = raw_exit_code


class StoreError(OutriderError):
    """The content store refused a request."""


class ObjectMissingError(StoreError):
    """There is no such object, whatever words the store has for it."""

    def __init__(self, key: str) -> None:
        super().__init__(ErrorCode.OBJECT_MISSING, place=key)


class UnavailableError(OutriderError):
    """A part does not answer; the same may work later."""

    exit_status = ExitStatus.UNAVAILABLE


class RateLimitedError(UnavailableError):
    """Too many requests; the same is welcome later.

    Attributes:
        retry_after_seconds: How much later.
    """

    def __init__(self, retry_after_seconds: float, *, detail: str = "", place: str = "") -> None:
        super().__init__(ErrorCode.RATE_LIMITED, detail=detail, place=place)
        self.retry_after_seconds = retry_after_seconds
