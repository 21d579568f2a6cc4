"""Tokens: long random words of which only the hash is kept."""

import hashlib
import secrets
from typing import Final

_TOKEN_BYTES: Final = 32


def new_token() -> str:
    """A token with almost 256 random bits; no dictionary and no guessing finds it, so a plain hash protects it at rest.

    It never begins with a hyphen: people pass tokens as arguments, and a command would take such a one for an option.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return new_token() if token.startswith("-") else token


def token_hash(token: str) -> str:
    """What the database keeps of a token: its SHA-256 in lower-case hex."""
    return hashlib.sha256(token.encode()).hexdigest()
