"""Which questions the tallies answer: those about the whole fleet or an app, not about single devices."""

from typing import Any

from sqlalchemy import ColumnElement, Subquery
from sqlalchemy.orm import Session

from control.answers.job_filter import JobFilter, aimed_at
from control.catalog.revisions import find_app


def on_tallies(session: Session, wanted: JobFilter, of: Subquery) -> tuple[ColumnElement[bool], ...] | None:
    """What a row of `standings` must fulfil; None where only the jobs themselves can tell.

    Raises:
        NotFoundError: The filter names something that is not there.
        InputError: Its target could be several things.
    """
    if (wanted.device, wanted.group, wanted.rollout, wanted.group_ids) != (None, None, None, None):
        return None
    found: list[ColumnElement[bool]] = []
    if wanted.target is not None:
        aimed = on_tallies(session, aimed_at(session, wanted.target), of)
        if aimed is None:
            return None
        found += aimed
    app_id = None if wanted.app is None else find_app(session, wanted.app).id
    named: dict[str, Any] = {
        "app_id": app_id,
        "state": wanted.state,
        "outcome": wanted.outcome,
        "error_code": wanted.error_code,
    }
    found += [of.c[name] == value for name, value in named.items() if value is not None]
    return tuple(found)
