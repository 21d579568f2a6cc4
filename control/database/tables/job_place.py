"""Where a job is, as SQL over its own row: the database itself knows by it which jobs have not been counted there yet.

An index that holds only those rows is how that is found, so queries must use the very same words.
"""

from typing import Final

_IS_SHOWN: Final = "is_newest AND NOT coalesce(state = 'cancelled' AND cancel_reason = 'superseded', false)"
_ERROR: Final = "coalesce(phase, '') || '/' || coalesce(CAST(error_number AS text), '') || '/' || error_code"

#: Its state, outcome, reason to wait, and the phase, number and code of its error; nothing for a job that is not the
#: newest of its device and app, or that nobody wants any more. An error's code may hold anything, so it is the last.
PLACE: Final = (
    f"CASE WHEN {_IS_SHOWN} THEN state || '/' || coalesce(outcome, '') || '/' || coalesce(next_action_reason, '') "
    f"|| '/' || CASE WHEN error_code IS NULL THEN '' ELSE {_ERROR} END ELSE '' END"
)

#: It is somewhere else than where it was counted. Written so that PostgreSQL, which cannot know how many rows that is
#: true of, takes it for few, as it is: it guesses that a comparison holds for most, and that little is null.
HAS_MOVED: Final = f"CASE WHEN tallied_as = ({PLACE}) THEN 1 END IS NULL"
