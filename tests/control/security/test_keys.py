"""Key files and what is done with them."""

import stat
import threading
from pathlib import Path

import pytest

from contract.errors import InputError, TrustError
from control.security.content_keys import ContentKeys, ensure_key_encryption_key
from control.security.key_files import ensure_key_file, read_key_file
from control.security.tokens import new_token, token_hash


def test_a_key_file_is_only_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "state" / "some.key"
    assert ensure_key_file(path, b"k" * 32)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_key_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "some.key"
    ensure_key_file(path, b"first" * 8)
    assert not ensure_key_file(path, b"other" * 8)
    assert path.read_bytes() == b"first" * 8
    assert list(tmp_path.iterdir()) == [path], "no drafts are left"


def test_of_several_who_make_a_key_at_once_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "some.key"
    made: list[bool] = []
    threads = [
        threading.Thread(target=lambda key=bytes([number]) * 32: made.append(ensure_key_file(path, key)))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.count(True) == 1
    assert len(set(read_key_file(path, size=32))) == 1


@pytest.mark.parametrize(("content", "said"), [(None, "outrider-control init"), (b"short", "found 5")])
def test_an_unusable_key_file_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "some.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_key_file(path, size=32)
    assert caught.value.place == str(path)


def test_a_content_key_is_wrapped_and_opens_only_with_the_same_key(tmp_path: Path) -> None:
    ensure_key_encryption_key(tmp_path)
    ensure_key_encryption_key(tmp_path / "other")
    wrapped = ContentKeys.load(tmp_path).wrap(b"k" * 32)
    assert b"k" * 32 not in wrapped
    assert ContentKeys.load(tmp_path).unwrap(wrapped) == b"k" * 32
    with pytest.raises(TrustError):
        ContentKeys.load(tmp_path / "other").unwrap(wrapped)


def test_tokens_differ_and_are_not_in_their_hash() -> None:
    first, second = new_token(), new_token()
    assert first != second
    assert first not in token_hash(first)
    assert token_hash(first) == token_hash(first) != token_hash(second)
