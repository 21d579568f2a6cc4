"""What a message in the control plane's own queue must look like; anything else never reaches Celery.

A Celery worker trusts its queue: a body that is no triple stops it for good, and goes back into the queue before it
does, so the next worker stops, too. The control plane's tasks carry nothing, so there is little to let in.
"""

import base64
import json
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from contract.queues import ControlTask

#: A request to a worker takes about 1 KB.
MAX_MESSAGE_BYTES: Final = 16 * 1024


def _is_moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _is_control_task(task: str) -> str:
    return ControlTask(task).value


class _Headers(BaseModel):
    """The headers Celery acts on; the others only name things."""

    model_config = ConfigDict(extra="allow", strict=True)

    task: Annotated[str, AfterValidator(_is_control_task)]
    id: Annotated[str, Field(min_length=1, max_length=64)]
    eta: None = None
    expires: Annotated[str, AfterValidator(_is_moment)] | None = None
    group: None = None
    retries: int = Field(default=0, ge=0)
    timelimit: Annotated[list[None], Field(min_length=2, max_length=2)] | None = None
    chord: None = None
    stamped_headers: list[str] | None = None


def refusal(message: dict[str, Any]) -> str | None:
    """Why a message is no request for one of the control plane's tasks; None if it is one.

    Args:
        message: As the transport read it, before anything acts on it.
    """
    if message.get("content-type") != "application/json" or message.get("content-encoding") != "utf-8":
        return "not JSON"
    try:
        _Headers.model_validate(message.get("headers"))
        args, kwargs, embed = json.loads(base64.b64decode(message["body"], validate=True))
        carries_nothing = args == [] and kwargs == {} and not any(embed.values())
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "the body is no call of a task"
    return None if carries_nothing else "a call that carries something"
