"""What a message in the device's queue must look like; anything else never reaches Celery.

A Celery worker trusts its queue: a body that is no triple ends the process, and callbacks inside a message are
published with the worker's own rights. A device's queue holds links of job chains and calls to check in, which carry
nothing; only these are let in.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.queues import SYNC_TASK, phase_of_task, phase_task
from worker.rules.retry import REEVALUATION_SECONDS

#: A chain of eleven links takes about 5 KB; nothing ten times as large is one.
MAX_MESSAGE_BYTES = 64 * 1024

#: The header that says how many seconds a message was sent to wait.
WAIT_HEADER = "wait_seconds"

_MAX_LINKS = 10


def _is_moment(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("no zone")
    return text


_PhaseTask = Annotated[str, Field(pattern=f"^({'|'.join(re.escape(phase_task(phase)) for phase in PHASES)})$")]
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Headers(BaseModel):
    """The headers Celery acts on; the others only name things."""

    model_config = ConfigDict(extra="allow", strict=True)

    task: _PhaseTask
    id: _Id
    eta: Annotated[str, AfterValidator(_is_moment)] | None = None
    wait_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    expires: None = None
    group: None = None
    retries: int = Field(default=0, ge=0)
    timelimit: Annotated[list[None], Field(min_length=2, max_length=2)] | None = None
    chord: None = None
    stamped_headers: list[str] | None = None


class _CallHeaders(_Headers):
    """The headers of a call to check in."""

    task: Literal["outrider.sync"]


class _Empty(_Strict):
    """What carries nothing."""


class _LinkOptions(_Strict):
    task_id: _Id | None = None
    reply_to: _Id | None = None


class _Link(_Strict):
    task: _PhaseTask
    args: Annotated[list[Any], Field(max_length=0)]
    kwargs: JobRef
    options: _LinkOptions
    subtask_type: None = None
    immutable: Literal[True]


class _Embed(_Strict):
    callbacks: None = None
    errbacks: None = None
    chord: None = None
    chain: Annotated[list[_Link], Field(max_length=_MAX_LINKS)] | None = None


_Body = tuple[Annotated[list[Any], Field(max_length=0)], JobRef, _Embed]
_body: TypeAdapter[_Body] = TypeAdapter(_Body)
_CallBody = tuple[Annotated[list[Any], Field(max_length=0)], _Empty, _Embed]
_call_body: TypeAdapter[_CallBody] = TypeAdapter(_CallBody)


def shorten_countdown(message: dict[str, Any]) -> None:
    """Let no message wait longer than it was sent to wait, whatever became of the clock since then.

    Celery keeps a countdown as a time of day. A clock that was set back makes it too long by as much, once the message
    is taken, for the first time or again after a restart; from then on the wait runs on a clock that never goes back.
    """
    headers = message["headers"]
    if headers.get("eta") is None:
        return
    stated = headers.get(WAIT_HEADER)
    seconds = REEVALUATION_SECONDS if stated is None else min(stated, REEVALUATION_SECONDS)
    latest = datetime.now(UTC) + timedelta(seconds=seconds)
    if datetime.fromisoformat(headers["eta"]) > latest:
        headers["eta"] = latest.isoformat()


def refusal(message: dict[str, Any]) -> str | None:
    """Why a message is neither a link of a job's chain nor a call to check in; None if it is.

    Args:
        message: As the transport read it, before anything acts on it.
    """
    if message.get("content-type") != "application/json":
        return "not JSON"
    headers = message.get("headers")
    try:
        body = base64.b64decode(message["body"], validate=True)
        if isinstance(headers, dict) and headers.get("task") == SYNC_TASK:
            return _refused_call(headers, body)
        _Headers.model_validate(headers)
        _, ref, embed = _body.validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    except (binascii.Error, ValueError):
        return "the body is not base64"
    if any(link.kwargs != ref for link in embed.chain or ()):
        return "links of different jobs in one chain"
    return None


def _refused_call(headers: dict[str, Any], body: bytes) -> str | None:
    _CallHeaders.model_validate(headers)
    _, _, embed = _call_body.validate_json(body)
    return "a call that leads to more" if embed.chain else None


def link_of(message: dict[str, Any]) -> tuple[Phase, JobRef]:
    """What a message that is let in asks for: which phase of which attempt."""
    _, ref, _ = _body.validate_json(base64.b64decode(message["body"]))
    return phase_of_task(message["headers"]["task"]), ref
