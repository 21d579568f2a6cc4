import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError, UnavailableError
from worker.content.download import check_digest, disk_error, fetch, size_of
from worker.content.memory import MemoryContentSource
from worker.content.source import ContentStream

URL = "memory://content"
DATA = bytes(range(256)) * 100


def _source(**changes: int | bool | None) -> MemoryContentSource:
    source = MemoryContentSource({URL: DATA})
    for name, value in changes.items():
        setattr(source, name, value)
    return source


def _fetch(source: MemoryContentSource, target: Path, *, size: int = len(DATA)) -> int:
    return fetch(source, URL, target, size=size, on_progress=lambda _done, _total: None)


@pytest.mark.behaviour("B-43")
def test_content_arrives_whole(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    assert _fetch(_source(), target) == len(DATA)
    assert target.read_bytes() == DATA


def test_a_partial_file_is_continued_where_it_stopped(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    target.write_bytes(DATA[:1000])
    source = _source()
    assert _fetch(source, target) == len(DATA) - 1000
    assert source.asked_from == [1000]
    assert target.read_bytes() == DATA


def test_a_whole_file_is_not_fetched_again(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    target.write_bytes(DATA)
    source = _source()
    assert _fetch(source, target) == 0
    assert source.asked_from == []


class Beginner:
    """A store that says 200 to everything and sends a page of its own."""

    asked = 0

    @contextmanager
    def open(self, url: str, *, first: int) -> Iterator[ContentStream]:
        self.asked += 1
        yield ContentStream(0, iter([b"<html>not here</html>"]))


def test_a_server_that_always_begins_anew_and_never_ends_is_given_up(tmp_path: Path) -> None:
    source = Beginner()
    with pytest.raises(UnavailableError, match="nothing new"):
        fetch(source, URL, tmp_path / "content.bin", size=1000, on_progress=lambda _done, _total: None)
    assert source.asked == 2


def test_a_server_that_sends_everything_restarts_the_file(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    target.write_bytes(b"x" * 1000)
    assert _fetch(_source(knows_ranges=False), target) == len(DATA)
    assert target.read_bytes() == DATA


def test_a_file_that_is_too_long_is_started_anew(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    target.write_bytes(DATA + b"more")
    _fetch(_source(), target)
    assert target.read_bytes() == DATA


def test_a_connection_cut_again_and_again_is_continued_as_long_as_it_moves_something(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    source = _source(cut_after=5000)
    assert _fetch(source, target) == len(DATA)
    assert target.read_bytes() == DATA
    assert source.asked_from == sorted(source.asked_from)
    assert len(source.asked_from) == 5


def test_a_connection_that_moves_nothing_is_given_up_and_what_is_there_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    target.write_bytes(DATA[:1000])
    with pytest.raises(UnavailableError):
        _fetch(_source(cut_after=0), target)
    assert target.read_bytes() == DATA[:1000]


def test_content_that_is_shorter_than_announced_does_not_loop_for_ever(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        _fetch(_source(), tmp_path / "content.bin", size=len(DATA) + 1)


def test_content_that_is_longer_than_announced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhaseError) as caught:
        _fetch(_source(), tmp_path / "content.bin", size=len(DATA) - 1)
    assert caught.value.code is ErrorCode.CONTENT_CORRUPT
    assert size_of(tmp_path / "content.bin") < len(DATA)


@pytest.mark.behaviour("B-43")
def test_progress_grows_to_the_full_size(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    fetch(
        _source(),
        URL,
        tmp_path / "content.bin",
        size=len(DATA),
        on_progress=lambda done, all_: seen.append((done, all_)),
    )
    assert seen == sorted(seen)
    assert seen[-1] == (len(DATA), len(DATA))


def test_a_file_that_is_not_what_was_published_is_deleted(tmp_path: Path) -> None:
    target = tmp_path / "content.bin"
    target.write_bytes(DATA)
    check_digest(target, hashlib.sha256(DATA).hexdigest())
    with pytest.raises(PhaseError) as caught:
        check_digest(target, "0" * 64)
    assert caught.value.code is ErrorCode.CONTENT_CORRUPT
    assert not target.exists()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, ErrorCode.DISK_EXHAUSTED),
        (errno.EDQUOT, ErrorCode.DISK_EXHAUSTED),
        (errno.EACCES, ErrorCode.CLIENT_ERROR),
    ],
)
def test_a_full_disk_has_its_own_code(number: int, code: ErrorCode) -> None:
    assert disk_error(OSError(number, "words"), "content.bin").code is code


def test_a_file_that_cannot_be_written_is_an_error_of_the_phase(tmp_path: Path) -> None:
    with pytest.raises(PhaseError):
        _fetch(_source(), tmp_path / "missing" / "content.bin")


def test_an_answer_that_begins_too_late_leaves_no_hole(tmp_path: Path) -> None:
    class Skipping(MemoryContentSource):
        @contextmanager
        def open(self, url: str, *, first: int) -> Iterator[ContentStream]:
            with super().open(url, first=first + 10) as stream:
                yield ContentStream(first + 10, stream.chunks)

    target = tmp_path / "content.bin"
    target.write_bytes(DATA[:1000])
    with pytest.raises(UnavailableError):
        _fetch(Skipping({URL: DATA}), target)
    assert target.read_bytes() == DATA[:1000]
