import secrets

import pytest

from control.security.tokens import new_token, token_hash


def test_a_token_is_never_taken_for_an_option_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    made = iter(["-Lx", "--json", "x-y"])
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _bytes: next(made))
    assert new_token() == "x-y"


def test_tokens_differ_and_so_do_their_hashes() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == len({token_hash(token) for token in tokens}) == 100
