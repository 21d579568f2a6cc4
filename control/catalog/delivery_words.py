"""Terms of assignments between the words of people and what is kept."""

from typing import Any, Final, get_args

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.maintenance import MaintenanceWindow, Weekday
from contract.policy import DeliverySettings, RestartSettings
from contract.states import Intent
from control.catalog.assignment_entries import AssignmentIntent, MaintenanceWindowEntry, TermsFields
from control.catalog.manifest_entries import RestartSettingsEntry
from control.catalog.policies import NOTIFICATION_LEVELS, restart_of
from control.catalog.terms import Terms, check_terms, shown_time, stored_time
from control.targeting import Mode

_INTENTS: Final[dict[AssignmentIntent, Intent]] = {
    "required": Intent.REQUIRED,
    "available": Intent.AVAILABLE,
    "uninstall": Intent.UNINSTALL,
}
_NOTIFICATION_WORDS: Final = {level: word for word, level in NOTIFICATION_LEVELS.items()}

_MINUTE_SECONDS: Final = 60
#: A minute is not a binary fraction of a second's multiples; what people wrote comes back at this precision.
_MINUTE_DIGITS: Final = 9


def terms_of(fields: TermsFields) -> Terms:
    """The terms; a filter includes unless it says otherwise.

    Raises:
        InputError: A time is not one that can be kept.
    """
    basis = fields.time_basis
    includes_filter = fields.filter is not None and fields.filter_mode is None
    return Terms(
        mode=fields.mode,
        filter=fields.filter,
        filter_mode=Mode.INCLUDE if includes_filter else fields.filter_mode,
        start_at=stored_time(fields.start, basis, place="start"),
        deadline_at=stored_time(fields.deadline, basis, place="deadline"),
        time_basis=basis,
        settings=DeliverySettings(
            notifications=None if fields.notifications is None else NOTIFICATION_LEVELS[fields.notifications],
            restart=None if fields.restart_settings is None else restart_of(fields.restart_settings),
            priority=fields.delivery_priority,
            windows=tuple(MaintenanceWindow.model_validate(one.model_dump()) for one in fields.maintenance_windows),
        ),
    )


def intent_of(word: AssignmentIntent | None, mode: Mode) -> Intent:
    """What is wanted; required where nothing is said, and nothing of an excluded group."""
    if word is not None:
        return _INTENTS[word]
    return Intent.REQUIRED if mode is Mode.INCLUDE else Intent.NOT_TARGETED


def word_of(intent: Intent) -> AssignmentIntent | None:
    """The word for an intent; None for that of an excluded group."""
    return next((word for word in get_args(AssignmentIntent) if _INTENTS[word] is intent), None)


def fields_of(terms: Terms) -> dict[str, Any]:
    """The fields of `TermsFields`, so that `terms_of` gives the same terms again."""
    settings = terms.settings
    return {
        "mode": terms.mode,
        "filter": terms.filter,
        "filter_mode": terms.filter_mode,
        "start": shown_time(terms.start_at, terms.time_basis),
        "deadline": shown_time(terms.deadline_at, terms.time_basis),
        "time_basis": terms.time_basis,
        "notifications": None if settings.notifications is None else _NOTIFICATION_WORDS[settings.notifications],
        "restart_settings": None if settings.restart is None else _restart_entry(settings.restart),
        "maintenance_windows": tuple(_window_entry(window) for window in settings.windows),
        "delivery_priority": settings.priority,
    }


def checked(intent: Intent, fields: TermsFields, *, place: str = "") -> Terms:
    """The terms, if they make sense with the intent.

    Raises:
        InputError: They do not; the place is what was given.
    """
    try:
        terms = terms_of(fields)
        check_terms(intent, terms)
    except InputError as error:
        where = ": ".join(part for part in (place, error.place) if part)
        raise InputError(error.code, place=where, detail=error.detail) from error
    return terms


def require_assignable(intent: Intent, mode: Mode) -> None:
    """Let pass what can be said of an included or excluded group.

    Raises:
        InputError: Of an included one nothing is wanted.
    """
    if mode is Mode.INCLUDE and intent not in _INTENTS.values():
        words = ", ".join(_INTENTS)
        raise InputError(ErrorCode.DOCUMENT_INVALID, place="intent", detail=f"expected one of {words}")


def _restart_entry(restart: RestartSettings) -> RestartSettingsEntry:
    return RestartSettingsEntry(
        grace_period_in_minutes=_minutes(restart.grace_period_seconds),
        countdown_display_before_restart_in_minutes=_minutes(restart.countdown_seconds),
        restart_notification_snooze_duration_in_minutes=_minutes(restart.snooze_seconds),
    )


def _window_entry(window: MaintenanceWindow) -> MaintenanceWindowEntry:
    return MaintenanceWindowEntry(
        days=tuple(day for day in Weekday if day in window.days),
        start=window.start,
        duration_in_minutes=window.duration_in_minutes,
    )


def _minutes(seconds: float) -> float:
    return round(seconds / _MINUTE_SECONDS, _MINUTE_DIGITS)
