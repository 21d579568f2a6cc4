"""Secrets never reach a log: they are struck out by the name of their field, by what they are, and out of addresses."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from structlog.typing import EventDict, WrappedLogger

from worker.logs.known_secrets import STRUCK_OUT, KnownSecrets

#: Wherever they stand in a field's name.
_SECRET_WORDS: Final = re.compile(
    r"secret|pass ?(?:word|wd|phrase)|token|authorization|cookie|credential|sealed|private key"
)
#: What such a name ends with is a secret; before other words these speak of it only, as in `key_id`.
_SECRET_ENDS: Final = frozenset({"key", "apikey", "signature"})
#: Between the words of a name, written `mac_key`, `mac-key`, `macKey` or `MACKey`.
_BETWEEN_WORDS: Final = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
#: Fields have few names; a device that runs for years meets no more than these.
_NAMES_REMEMBERED: Final = 1000
#: User and password before a host's name.
_USER_INFO: Final = re.compile(r"(?<=://)[^\s/@\"'<>]+@")
#: A presigned address is as good as a key, and what makes it one is in its query.
_QUERY: Final = re.compile(r"(https?://[^\s?\"'<>]*\?)[^\s\"'<>]+")


class Redactor:
    """Strikes secrets out of events.

    Args:
        known: Values that must not appear, wherever they stand.
    """

    def __init__(self, known: KnownSecrets | None = None) -> None:
        self._known = known or KnownSecrets()

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        """The event without secrets; a structlog processor."""
        return {name: self._field(name, value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """A text without the secrets that are known and those in addresses."""
        text = self._known.strike(text)
        if "://" not in text:
            return text
        return _QUERY.sub(rf"\1{STRUCK_OUT}", _USER_INFO.sub(f"{STRUCK_OUT}@", text))

    def value(self, value: Any) -> Any:
        """A value as JSON can carry it, without secrets however deep inside."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, Mapping):
            return {name: self._field(str(name), item) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        if isinstance(value, bytes | bytearray):
            # Bytes are keys, seals and signatures.
            return STRUCK_OUT
        return self.text(str(value))

    def _field(self, name: str, value: Any) -> Any:
        return STRUCK_OUT if names_a_secret(name) else self.value(value)


@lru_cache(maxsize=_NAMES_REMEMBERED)
def names_a_secret(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    words = [word.lower() for word in _BETWEEN_WORDS.split(name) if word]
    return bool(words) and (words[-1] in _SECRET_ENDS or _SECRET_WORDS.search(" ".join(words)) is not None)
