"""What the commands say of an available app, to people and to programs."""

from typing import Any, Final

from contract.available_apps import AppRequestKind, AppStanding, AvailableApp
from contract.error_codes import ErrorCode

_WORDS: Final = {
    AppStanding.NOT_INSTALLED: "not installed",
    AppStanding.REQUESTED: "asked for, not begun yet",
    AppStanding.IN_PROGRESS: "in progress",
    AppStanding.INSTALLED: "installed",
    AppStanding.FAILED: "failed",
    AppStanding.NOT_APPLICABLE: "not for this device: its requirements are not met",
    AppStanding.CANCELLED: "cancelled by an operator",
}

_REQUESTED: Final = {
    AppRequestKind.INSTALL: "asked for",
    AppRequestKind.UNINSTALL: "its removal was asked for",
}


def app_facts(app: AvailableApp) -> dict[str, Any]:
    """An app for programs, an error with its sentence and its hint."""
    facts = app.model_dump(mode="json", exclude={"error_code", "detail"})
    code = _error(app)
    error = None if code is None else {"code": code.slug, "sentence": code.sentence, "hint": code.hint}
    return facts | {"detail": app.detail, "error": error}


def app_text(app: AvailableApp) -> str:
    """An app for people."""
    lines = [f"{titled(app)}: {_WORDS[app.standing]}"]
    if app.description:
        lines.append(f"  {app.description}")
    if app.requested is not None and app.requested_at is not None:
        lines.append(f"  {_REQUESTED[app.requested]} at {app.requested_at.astimezone():%Y-%m-%d %H:%M:%S}")
    code = _error(app)
    if code is not None:
        lines.append(f"  {code.sentence}")
    if app.detail:
        lines.append(f"  {app.detail}")
    if code is not None:
        lines.append(f"  hint: {code.hint}")
    if app.next_attempt_at is not None:
        lines.append(f"  tried again at {app.next_attempt_at.astimezone():%Y-%m-%d %H:%M:%S}")
    return "\n".join(lines)


def titled(app: AvailableApp) -> str:
    """Name, version and publisher."""
    version = f" {app.version}" if app.version else ""
    return f"{app.name}{version}" + (f" ({app.publisher})" if app.publisher else "")


def _error(app: AvailableApp) -> ErrorCode | None:
    """What the last attempt ended with; a newer control plane may know errors that this agent does not."""
    try:
        return ErrorCode.from_slug(app.error_code) if app.error_code else None
    except KeyError:
        return ErrorCode.API_ERROR
