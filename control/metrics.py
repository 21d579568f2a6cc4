"""The API's own metrics for Prometheus."""

from typing import Final

from prometheus_client import Counter, Histogram

from contract.error_codes import ErrorCode
from contract.report import Report

#: A device's routes begin so; all other routes are operators'.
_DEVICE_PREFIX: Final = "/v1/device/"

DEVICE_REQUESTS: Final = Counter(
    "outrider_device_requests", "Requests of devices, by the HTTP status that they were answered with.", ["status"]
)

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

REPORTS: Final = Counter("outrider_reports", "Attempts that were reported, by how they ended.", ["outcome"])

PHASE_SECONDS: Final = Histogram(
    "outrider_phase_seconds",
    "How long phases took on devices, as these reported it.",
    ["phase", "outcome"],
    # From what a look at a file takes to the longest that an installer may.
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600),
)

CONTENT_BYTES: Final = Counter("outrider_content_bytes", "Bytes of content that devices fetched, by where.", ["source"])

#: The reason of a message that was not let in; what was refused later has the error's name.
_MESSAGE: Final = "message"

#: Failures of an attempt that say: this is not what was published.
_REFUSALS: Final = frozenset(
    code.slug
    for code in (
        ErrorCode.POLICY_UNSIGNED,
        ErrorCode.POLICY_UNTRUSTED,
        ErrorCode.POLICY_TAMPERED,
        ErrorCode.TRUSTED_KEYS_EXPIRED,
        ErrorCode.TRUSTED_KEYS_REFUSED,
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


def count_device_request(status: int) -> None:
    """Count a request of a device that was answered with this HTTP status."""
    DEVICE_REQUESTS.labels(status=str(status)).inc()


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


def count_report(report: Report) -> None:
    """Count an attempt that was reported for the first time: its outcome, the time of its phases, its bytes."""
    if report.error is not None:
        count_reported_refusal(report.error.code)
    REPORTS.labels(outcome=report.outcome.value).inc()
    CONTENT_BYTES.labels(source="store").inc(report.bytes_downloaded)
    for record in report.phases:
        PHASE_SECONDS.labels(phase=record.phase.value, outcome=record.outcome.value).observe(record.duration_seconds)
