import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.logs.known_secrets import STRUCK_OUT
from worker.processes import output_copier
from worker.processes.output_copier import Strike, header, read_header

_OUT = STRUCK_OUT.encode()


def _struck(secrets: list[bytes], *pieces: bytes) -> bytes:
    strike = Strike(secrets)
    return b"".join(strike.feed(piece) for piece in pieces) + strike.end()


def test_a_secret_is_struck_out_however_it_is_cut_into_pieces() -> None:
    text = b"the key is hunter-22, again hunter-22."
    for cut in range(len(text)):
        assert _struck([b"hunter-22"], text[:cut], text[cut:]) == b"the key is " + _OUT + b", again " + _OUT + b"."
    assert _struck([b"hunter-22"], *(bytes([byte]) for byte in text)).count(_OUT) == 2


def test_a_longer_secret_is_struck_out_whole_although_a_shorter_one_is_its_beginning() -> None:
    secrets = [b"hunter-22", b"hunter-22-and-more"]
    assert _struck(secrets, b"hunter-22", b"-and", b"-more!") == _OUT + b"!"
    assert _struck(secrets, b"hunter-22", b"-and-less") == _OUT + b"-and-less"
    assert _struck(secrets, b"hunter-22") == _OUT


def test_a_secret_that_ends_as_it_begins_is_found_before_its_end_is_held_back() -> None:
    assert _struck([b"abcab"], b"abcab") == _OUT
    assert _struck([b"aaaaaa"], b"aaaaa", b"aa") == _OUT + b"a"


def test_what_only_looks_like_a_beginning_is_written_in_the_end() -> None:
    assert _struck([b"hunter-22"], b"the hunt") == b"the hunt"
    assert _struck([b"hunter-22"], b"hunter-2", b"1") == b"hunter-21"


def test_without_secrets_nothing_is_held_back() -> None:
    assert Strike([]).feed(b"hunter") == b"hunter"


@given(st.lists(st.text("ab", min_size=1, max_size=4), max_size=3), st.text("abc", max_size=30), st.data())
def test_cutting_changes_nothing(secrets: list[str], text: str, data: st.DataObject) -> None:
    known, whole = [secret.encode() for secret in secrets], text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in pairwise([0, *cuts, len(whole)])]
    assert _struck(known, *pieces) == _struck(known, whole)


@pytest.mark.parametrize("secrets", [(), ("hunter-22", "zwölf\r\nlines")])
def test_the_list_of_secrets_is_read_to_its_end_and_no_further(secrets: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.write(writing, header(secrets) + b"output")
    os.close(writing)
    assert read_header(reading) == [secret.encode() for secret in secrets]
    assert os.read(reading, 100) == b"output"
    os.close(reading)


def test_an_input_that_ends_at_once_names_no_secrets() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    assert read_header(reading) == []
    os.close(reading)


def test_without_secrets_it_loads_nothing_that_takes_long(tmp_path: Path) -> None:
    """It is started for each command."""
    python, *program = output_copier.command(str(tmp_path / "log"), head_bytes=9, tail_bytes=9)
    program = [python, "-X", "importtime", *program]
    ran = subprocess.run(program, input=header(()) + b"word", capture_output=True, check=True)
    loaded = {line.rpartition(b"|")[2].strip() for line in ran.stderr.splitlines()}
    assert b"os" in loaded
    assert not loaded & {b"json", b"re", b"pathlib", b"typing"}
    assert (tmp_path / "log").read_bytes() == b"word"
