"""What `outrider-agent status --json` says of an app: every field the device keeps, every number with its word."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

from contract.error_codes import ErrorCode, signed
from contract.report import ErrorReport, NextAction
from worker.app_state import AppState


def app_facts(state: AppState) -> dict[str, Any]:
    """An app's state for programs.

    A number of an enumeration becomes `{"number": 1000, "word": "success"}`, an error has its sentence, its hint and
    its code as it is written in hexadecimal and as a signed number, and a wait its reason in words.
    """
    facts: dict[str, Any] = _plain(state.model_dump())
    error, action = state.error, state.next_action
    return facts | {
        "grs_hash": state.grs_hash,
        "error": None if error is None else facts["error"] | _error_words(error),
        "next_action": None if action is None else facts["next_action"] | _action_words(action),
    }


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _plain(item) for name, item in value.items()}
        case IntEnum():
            return {"number": value.value, "word": word(value)}
        case datetime():
            return value.isoformat()
        case _:
            return value


def word(member: IntEnum) -> str:
    """A number's name as people write it."""
    return member.name.lower().replace("_", " ")


def _error_words(error: ErrorReport) -> dict[str, Any]:
    code = ErrorCode.from_slug(error.code)
    words: dict[str, Any] = {"sentence": code.sentence, "hint": code.hint}
    if error.number is not None:
        words |= {"hex": f"0x{error.number:08X}", "signed": signed(error.number)}
    return words


def _action_words(action: NextAction) -> dict[str, Any]:
    return {"sentence": action.reason.sentence}
