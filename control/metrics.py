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


def count_refusal(path: str, code: ErrorCode) -> None:
    """Count a request that was refused for what it is, not for what went wrong."""
    REFUSED.labels(side="device" if path.startswith(_DEVICE_PREFIX) else "operator", reason=code.slug).inc()
