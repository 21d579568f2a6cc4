"""The API's own metrics for Prometheus."""

from typing import Final

from prometheus_client import Counter

from contract.error_codes import ErrorCode

#: A device's routes begin so; all other routes are operators'.
_DEVICE_PREFIX: Final = "/v1/device/"

REFUSED: Final = Counter(
    "outrider_refused_requests",
    "Requests that were refused: forged, replayed, foreign, too large, too many, or of too low a role.",
    ["side", "reason"],
)

REFUSED_BY_DEVICES: Final = Counter(
    "outrider_refused_by_devices",
    "What devices refused and told of: messages of the broker, policies, content.",
    ["reason"],
)

#: The reason of a message that was not let in; what was refused later has the error's name.
_MESSAGE: Final = "message"

#: Failures of an attempt that say: this is not what was published.
_REFUSALS: Final = frozenset(
    code.slug
    for code in (
        ErrorCode.POLICY_UNTRUSTED,
        ErrorCode.POLICY_EXPIRED,
        ErrorCode.POLICY_ROLLED_BACK,
        ErrorCode.POLICY_MISMATCH,
        ErrorCode.DOCUMENT_INVALID,
        ErrorCode.DOCUMENT_TOO_NEW,
        ErrorCode.CONTENT_CORRUPT,
        ErrorCode.CONTENT_KEY_REFUSED,
        ErrorCode.UNZIP_FAILED,
    )
)


def count_refusal(path: str, code: ErrorCode) -> None:
    """Count a request that was refused for what it is, not for what went wrong."""
    REFUSED.labels(side="device" if is_device_path(path) else "operator", reason=code.slug).inc()


def is_device_path(path: str) -> bool:
    """Whether a request is a device's by its path."""
    return path.startswith(_DEVICE_PREFIX)


def count_refused_messages(count: int) -> None:
    """Count messages that a device did not let in."""
    REFUSED_BY_DEVICES.labels(reason=_MESSAGE).inc(count)


def count_reported_refusal(error_code: str) -> None:
    """Count an attempt that failed because the device refused what it was given; other failures are none."""
    if error_code in _REFUSALS:
        REFUSED_BY_DEVICES.labels(reason=error_code).inc()
