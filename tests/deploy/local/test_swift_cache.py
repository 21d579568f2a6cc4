"""The embedded store's memory: what is kept holds for its time, and nobody changes it for others."""

from typing import Any

from deploy.local.swift.cache import ProcessCache, filter_factory


class _Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_kept_holds_for_its_time() -> None:
    watch = _Watch()
    cache = ProcessCache(watch)
    cache.set("container/a", {"status": 204}, time=60)
    cache.set("container/b", {"status": 404}, time=6)
    watch.now = 59
    assert (cache.get("container/a"), cache.get("container/b")) == ({"status": 204}, None)
    watch.now = 61
    assert cache.get("container/a") is None


def test_without_a_time_it_holds_for_a_while() -> None:
    watch = _Watch()
    cache = ProcessCache(watch)
    cache.set("token", "who")
    watch.now = 1
    assert cache.get("token", raise_on_error=True) == "who"
    watch.now = 3600
    assert cache.get("token") is None


def test_what_was_given_out_is_not_what_is_kept() -> None:
    cache = ProcessCache()
    cache.set("account", {"meta": {"a": "1"}})
    cache.get("account")["meta"]["a"] = "changed"
    assert cache.get("account") == {"meta": {"a": "1"}}


def test_what_was_removed_is_gone_and_removing_it_again_is_fine() -> None:
    cache = ProcessCache()
    cache.set("account", 1)
    cache.delete("account")
    cache.delete("account")
    assert cache.get("account") is None


def test_all_requests_are_handed_the_same_memory() -> None:
    seen: list[Any] = []

    def application(environment: Any, _start_response: Any) -> list[bytes]:
        seen.append(environment["swift.cache"])
        environment["swift.infocache"] = "for those in front"
        return [b"answer"]

    served = filter_factory({})(application)
    environment: dict[str, Any] = {}
    assert served(environment, None) == served({}, None) == [b"answer"]
    assert seen[0] is seen[1]
    assert environment["swift.infocache"] == "for those in front"
