"""Secrets never reach a log: they are struck out by the name of their field, by what they are, and out of addresses."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from structlog.typing import EventDict, WrappedLogger

STRUCK_OUT: Final = "[redacted]"

_SECRET_NAME: Final = re.compile(
    r"secret|password|passwd|token|authorization|cookie|credential|signature|(^|[_-])key$|private_key|sealed",
    re.IGNORECASE,
)
#: User and password before a host's name.
_USER_INFO: Final = re.compile(r"(?<=://)[^\s/@\"'<>]+@")
#: A presigned address is as good as a key, and what makes it one is in its query.
_QUERY: Final = re.compile(r"(https?://[^\s?\"'<>]*\?)[^\s\"'<>]+")
#: What structlog's formatter keeps beside an event's own fields.
_BESIDE: Final = frozenset({"_record", "_from_structlog"})
#: Shorter values would strike out ordinary words.
_SHORTEST_SECRET: Final = 6


class Redactor:
    """Strikes secrets out of events.

    Args:
        secrets: Values that must not appear, wherever they stand.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one may hold another.
        known = sorted((secret for secret in secrets if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(re.escape(secret) for secret in known)) if known else None

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        """The event without secrets; a structlog processor."""
        return {name: value if name in _BESIDE else self._field(name, value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """A text without the secrets that are known and those in addresses."""
        if self._known is not None:
            text = self._known.sub(STRUCK_OUT, text)
        if "://" not in text:
            return text
        return _QUERY.sub(rf"\1{STRUCK_OUT}", _USER_INFO.sub(f"{STRUCK_OUT}@", text))

    def value(self, value: Any) -> Any:
        """A value as JSON can carry it, without secrets however deep inside."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self._field(str(name), item) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item) for item in value]
        if isinstance(value, bytes | bytearray):
            # Bytes are keys, seals and signatures.
            return STRUCK_OUT
        return value if isinstance(value, int | float) or value is None else self.text(str(value))

    def _field(self, name: str, value: Any) -> Any:
        return STRUCK_OUT if _SECRET_NAME.search(name) else self.value(value)
