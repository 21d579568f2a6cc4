"""Values that must not appear in a log: the device's own for good, an installer's for as long as its command runs."""

import base64
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

from contract.installer_secrets import SHORTEST_SECRET_CHARACTERS

STRUCK_OUT: Final = "[redacted]"


class KnownSecrets:
    """The values, and striking them out.

    Args:
        lasting: Values that stay secret for good.
    """

    def __init__(self, lasting: Iterable[str] = ()) -> None:
        self._held = Counter(lasting)
        self._lock = threading.Lock()
        self._pattern = _pattern_of(self._held)

    def strike(self, text: str) -> str:
        """A text without any of the values."""
        # One look at the pattern: another thread may put a new one in its place.
        pattern = self._pattern
        return text if pattern is None else pattern.sub(STRUCK_OUT, text)

    @contextmanager
    def with_more(self, values: Iterable[str]) -> Iterator[None]:
        """Know these, too, while the block runs."""
        more = Counter(values)
        self._change(more, 1)
        try:
            yield
        finally:
            self._change(more, -1)

    def _change(self, values: Counter[str], by: int) -> None:
        with self._lock:
            for value, count in values.items():
                self._held[value] += by * count
            self._held = +self._held
            self._pattern = _pattern_of(self._held)


def forms_of(value: str) -> tuple[str, ...]:
    """A value in every form a log might meet it in; the plain one first."""
    bare = value.strip()
    encoded = [base64.b64encode(text.encode()).decode() for text in (value, bare)]
    lines = bare.replace("\r\n", "\n")
    forms = (value, bare, lines, lines.replace("\n", "\r\n"), quote(bare, safe=""), *encoded)
    return tuple(dict.fromkeys(form for form in forms if len(form) >= SHORTEST_SECRET_CHARACTERS))


def _pattern_of(values: Iterable[str]) -> re.Pattern[str] | None:
    # The longest first: one may hold another.
    known = sorted((value for value in values if len(value) >= SHORTEST_SECRET_CHARACTERS), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known))) if known else None
