"""Tables of tokens and of the audit log."""

import json
from collections.abc import Iterable
from typing import Any

from rich.table import Table

from contract.printable import printable
from control.cli.words import time_word
from control.views.access import KnownEnrollmentTokenView, OperatorTokenView
from control.views.audit import AuditEntryView


def token_table(tokens: Iterable[OperatorTokenView]) -> Table:
    """Operators' tokens."""
    table = Table("id", "name", "role", "groups", "made", "state")
    for token in tokens:
        groups = ", ".join(token.groups) or "all"
        words = (token.name, token.role.value, groups, time_word(token.created_at), _state(token))
        table.add_row(token.id, *map(printable, words))
    return table


def enrollment_table(tokens: Iterable[KnownEnrollmentTokenView]) -> Table:
    """Tokens that devices enrol with."""
    table = Table("id", "group", "site", "uses left", "made", "by", "state")
    for token in tokens:
        words = (token.group or "", token.site or "", str(token.uses_left), time_word(token.created_at))
        table.add_row(token.id, *map(printable, (*words, token.created_by, _enrollment_state(token))))
    return table


def audit_table(entries: Iterable[AuditEntryView]) -> Table:
    """Entries of the audit log."""
    table = Table("no", "when", "who", "from", "what", "to", "before", "after")
    for entry in entries:
        words = (entry.actor, entry.source, entry.action, entry.target, _short(entry.before), _short(entry.after))
        table.add_row(str(entry.sequence), time_word(entry.at), *map(printable, words))
    return table


def _state(token: OperatorTokenView) -> str:
    if token.revoked_at is not None:
        return f"revoked {time_word(token.revoked_at)}"
    return f"until {time_word(token.expires_at)}" if token.expires_at else "does not expire"


def _enrollment_state(token: KnownEnrollmentTokenView) -> str:
    if token.revoked_at is not None:
        return f"revoked {time_word(token.revoked_at)}"
    purpose = "" if token.replaces is None else f", in place of {token.replaces}"
    return f"until {time_word(token.expires_at)}{purpose}"


def _short(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
