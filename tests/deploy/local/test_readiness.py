"""When a part counts as ready, asked of real sockets and files."""

import http.server
import socket
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from threading import Thread

import psutil
import pytest

from deploy.local.part import Part
from deploy.local.ports import HOST, find_free_port
from deploy.local.readiness import START_MARK, AnswersHttp, AnswersPing, ListensOn, LogSays, Runs, is_ready, last_life
from tests.support.servers import running

NOWHERE = Path("/nonexistent/log")


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers /200, /404 and /503 with that status."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus(int(self.path.removeprefix("/"))))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web_port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer((HOST, 0), Answer) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def me() -> psutil.Process:
    return psutil.Process()


@pytest.mark.integration
def test_a_port_counts_only_when_the_part_itself_listens(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        assert is_ready(ListensOn(port=port), me(), NOWHERE)
        other = Part(name="other", command=(sys.executable, "-c", "import signal; signal.pause()"))
        with running(other, tmp_path) as process:
            assert is_ready(Runs(), process, NOWHERE)
            assert not is_ready(ListensOn(port=port), process, NOWHERE)
    assert not is_ready(ListensOn(port=port), me(), NOWHERE)


@pytest.mark.integration
@pytest.mark.parametrize(("path", "ready"), [("/200", True), ("/404", True), ("/503", False)])
def test_an_answer_counts_unless_it_is_a_server_error(web_port: int, path: str, ready: bool) -> None:
    assert is_ready(AnswersHttp(port=web_port, path=path), me(), NOWHERE) is ready


@pytest.mark.integration
def test_a_broker_that_is_not_there_is_not_ready() -> None:
    assert not is_ready(AnswersPing(url=f"redis://{HOST}:{find_free_port()}/0"), me(), NOWHERE)


def test_only_the_words_of_the_present_life_count(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text(f"{START_MARK}part, process 1\nready.\n")
    assert is_ready(LogSays(words="ready."), me(), log)
    with log.open("a") as file:
        file.write(f"{START_MARK}part, process 2\nstarting\n")
    assert not is_ready(LogSays(words="ready."), me(), log)
    assert last_life(log) == "part, process 2\nstarting\n"


def test_a_log_that_is_not_there_yet_says_nothing() -> None:
    assert last_life(NOWHERE) == ""
    assert not is_ready(LogSays(words="ready."), me(), NOWHERE)


def test_only_the_end_of_a_huge_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_bytes(b"ready.\n" + b"\xff" * (2 << 20))
    assert not is_ready(LogSays(words="ready."), me(), log)
