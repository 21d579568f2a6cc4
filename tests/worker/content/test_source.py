"""The HTTP content source against a real server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from tests.worker.uplink.server import Answer, Asked, Server, serving
from worker.content.download import fetch
from worker.content.source import HttpContentSource
from worker.settings import AgentSettings
from worker.uplink.transport import http_client

pytestmark = pytest.mark.integration

SECONDS = 30
DATA = bytes(range(256)) * 2000


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def source() -> Iterator[HttpContentSource]:
    with http_client(AgentSettings(read_timeout_seconds=30)) as client:
        yield HttpContentSource(client)


def _first(asked: Asked) -> int:
    return int(asked.request.headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))


def _ranged(asked: Asked) -> Answer:
    first = _first(asked)
    span = {"Content-Range": f"bytes {first}-{len(DATA) - 1}/{len(DATA)}"}
    return Answer(206, DATA[first:], span) if first else Answer(200, DATA)


def _read(source: HttpContentSource, url: str, first: int) -> tuple[int, bytes]:
    with source.open(url, first=first) as stream:
        return stream.first, b"".join(stream.chunks)


@pytest.mark.behaviour("B-41")
def test_content_is_read_from_where_it_is_asked_for(server: Server, source: HttpContentSource) -> None:
    server.answer = _ranged
    assert _read(source, f"{server.url}/blob?signature=x", 0) == (0, DATA)
    assert _read(source, f"{server.url}/blob?signature=x", 1000) == (1000, DATA[1000:])


def test_a_server_without_ranges_is_taken_at_its_word(server: Server, source: HttpContentSource) -> None:
    server.answer = lambda _asked: Answer(200, DATA)
    assert _read(source, server.url, 1000) == (0, DATA)


def test_what_counts_is_the_range_in_the_answer_not_its_status(server: Server, source: HttpContentSource) -> None:
    server.answer = lambda _asked: Answer(206, DATA)
    assert _read(source, server.url, 1000)[0] == 0


@pytest.mark.parametrize("status", [301, 403, 404, 416, 503])
def test_an_answer_without_content_is_tried_again_with_a_new_url(
    server: Server, source: HttpContentSource, status: int
) -> None:
    server.answer = lambda _asked: Answer(status)
    with pytest.raises(UnavailableError) as caught:
        _read(source, f"{server.url}/blob?signature=secret", 0)
    assert caught.value.code is ErrorCode.DOWNLOAD_FAILED
    assert "secret" not in str(caught.value)


def test_a_store_that_falls_silent_is_a_timeout(server: Server) -> None:
    given_up = threading.Event()

    def answer(_asked: Asked) -> Answer:
        given_up.wait(SECONDS)
        return Answer()

    server.answer = answer
    with http_client(AgentSettings(read_timeout_seconds=0.3)) as client, pytest.raises(UnavailableError) as caught:
        _read(HttpContentSource(client), server.url, 0)
    given_up.set()
    assert caught.value.code is ErrorCode.DOWNLOAD_TIMEOUT


def test_a_download_over_connections_that_break_arrives_whole(
    server: Server, source: HttpContentSource, tmp_path: Path
) -> None:
    def answer(asked: Asked) -> Answer:
        whole = _ranged(asked)
        return Answer(whole.status, whole.body, whole.headers, cut_after=100_000)

    server.answer = answer
    target = tmp_path / "content.bin"
    fetch(source, server.url, target, size=len(DATA), on_progress=lambda _done, _all: None)
    assert target.read_bytes() == DATA
    assert len(server.asked) > 3
