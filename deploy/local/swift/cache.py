"""What Swift keeps in memcached elsewhere, in the memory of its one process here.

Without it each request asks the account's and the container's server anew what they are: a third of what it costs.
"""

import json
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

from cachetools import TLRUCache

#: Accounts, containers and tokens of the one tenant: a handful.
_MOST_ENTRIES: Final = 1000
#: Where nobody says how long something holds.
_USUAL_SECONDS: Final = 60.0

_Application = Callable[[MutableMapping[str, Any], Any], Any]


class ProcessCache:
    """The part of `swift.common.memcached.MemcacheRing` that Swift's proxy uses.

    Values are kept as JSON, as memcached would: nobody changes what another one is given.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._entries: TLRUCache[str, tuple[str, float]] = TLRUCache(_MOST_ENTRIES, _held_until, now)

    def get(self, key: str, raise_on_error: bool = False) -> Any:  # noqa: ARG002  Swift's signature
        """What is kept; None for nothing."""
        entry = self._entries.get(key)
        return None if entry is None else json.loads(entry[0])

    def set(self, key: str, value: Any, **options: Any) -> None:
        """Keep a value for as many seconds as `time` says."""
        self._entries[key] = json.dumps(value), options.get("time") or _USUAL_SECONDS

    def delete(self, key: str, **_options: Any) -> None:
        """Forget a value."""
        self._entries.pop(key, None)


def filter_factory(_global: Mapping[str, str], **_local: str) -> Callable[[_Application], _Application]:
    """A filter of Swift's pipeline that hands the cache to those behind it."""
    cache = ProcessCache()

    def around(application: _Application) -> _Application:
        def serve(environment: MutableMapping[str, Any], start_response: Any) -> Any:
            environment["swift.cache"] = cache
            return application(environment, start_response)

        return serve

    return around


def _held_until(_key: str, entry: tuple[str, float], now: float) -> float:
    return now + entry[1]
