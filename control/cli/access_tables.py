"""Tokens and the audit log as people read them."""

import json
from collections.abc import Iterable, Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from contract.printable import printable
from control.cli.tables import plain_table
from control.cli.words import time_word
from control.views.access import KnownEnrollmentTokenView, OperatorTokenView
from control.views.audit import AuditEntryView


def token_table(tokens: Iterable[OperatorTokenView]) -> Table:
    """Operators' tokens."""
    table = plain_table("id", "name", "role", "groups", "made", "state")
    for token in tokens:
        groups = ", ".join(token.groups) or "all"
        words = (token.name, token.role.value, groups, time_word(token.created_at), _state(token))
        table.add_row(token.id, *map(printable, words))
    return table


def enrollment_table(tokens: Iterable[KnownEnrollmentTokenView]) -> Table:
    """Tokens that devices enrol with."""
    table = plain_table("id", "group", "site", "uses left", "made", "by", "state")
    for token in tokens:
        words = (token.group or "", token.site or "", str(token.uses_left), time_word(token.created_at))
        table.add_row(token.id, *map(printable, (*words, token.created_by, _enrollment_state(token))))
    return table


def audit_view(entries: Iterable[AuditEntryView]) -> Group:
    """Entries of the audit log: a line of who did what, below it what that changed."""
    lines = (line for entry in entries for line in _audit_lines(entry))
    return Group(*(Text(printable(line)) for line in lines))


def _state(token: OperatorTokenView) -> str:
    if token.revoked_at is not None:
        return f"revoked {time_word(token.revoked_at)}"
    return f"until {time_word(token.expires_at)}" if token.expires_at else "does not expire"


def _enrollment_state(token: KnownEnrollmentTokenView) -> str:
    if token.revoked_at is not None:
        return f"revoked {time_word(token.revoked_at)}"
    purpose = "" if token.replaces is None else f", in place of {token.replaces}"
    return f"until {time_word(token.expires_at)}{purpose}"


def _audit_lines(entry: AuditEntryView) -> Iterator[str]:
    yield f"{entry.sequence}  {time_word(entry.at)}  {entry.actor} from {entry.source}: {entry.action} {entry.target}"
    for word, value in (("before", entry.before), ("after", entry.after)):
        if value is not None:
            yield f"    {word}: {json.dumps(value, ensure_ascii=False)}"
