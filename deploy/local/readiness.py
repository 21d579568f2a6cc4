"""How a part shows that it can be used."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Literal

import psutil
import redis
from pydantic import BaseModel, ConfigDict, Field

#: For one probe; a part that needs longer is asked again.
_PROBE_SECONDS = 2.0
#: How much of a log's end is searched.
_LOG_TAIL_BYTES = 1 << 20
#: What the run script writes before each start of a part, so that an earlier life's words do not count.
START_MARK = "=== start of "


class _Check(BaseModel):
    model_config = ConfigDict(frozen=True)


class Runs(_Check):
    """It is ready as soon as its process runs."""

    kind: Literal["runs"] = "runs"


class ListensOn(_Check):
    """It, and not somebody else, listens on a port of this machine."""

    kind: Literal["listens-on"] = "listens-on"
    port: int


class AnswersHttp(_Check):
    """A GET of the URL answers with any status below 500."""

    kind: Literal["answers-http"] = "answers-http"
    port: int
    path: str = "/"


class AnswersPing(_Check):
    """A broker answers PING to this user: it has loaded its users and its data."""

    kind: Literal["answers-ping"] = "answers-ping"
    url: str = Field(repr=False)


class LogSays(_Check):
    """Its log has said these words since it was last started."""

    kind: Literal["log-says"] = "log-says"
    words: str


Readiness = Annotated[Runs | ListensOn | AnswersHttp | AnswersPing | LogSays, Field(discriminator="kind")]


def is_ready(check: Readiness, process: psutil.Process, log: Path) -> bool:
    """Whether the part can be used now.

    Args:
        check: What to look at.
        process: The part's main process.
        log: The part's log.
    """
    match check:
        case Runs():
            return process.is_running()
        case ListensOn(port=port):
            return _listens(process, port)
        case AnswersHttp(port=port, path=path):
            return _listens(process, port) and _answers_http(f"http://127.0.0.1:{port}{path}")
        case AnswersPing(url=url):
            return _answers_ping(url)
        case LogSays(words=words):
            return words in last_life(log)


def last_life(log: Path) -> str:
    """What a part has written to its log since it was last started, or the end of that."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return text.rpartition(START_MARK)[2]


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        family = [process, *process.children(recursive=True)]
        sockets = [one for member in family for one in member.net_connections("tcp")]
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)


def _answers_http(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_PROBE_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        with error:
            return error.code < 500  # noqa: PLR2004  where HTTP's server errors begin
    except OSError:
        return False


def _answers_ping(url: str) -> bool:
    with redis.Redis.from_url(url, socket_timeout=_PROBE_SECONDS, retry=None) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
