"""Grouped calls: what arrives together is done together; everybody is answered as if alone, after his group."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from threading import Event, active_count

import pytest

from control.grouped_calls import GroupedCalls

_PATIENCE_SECONDS = 20


class Ledger:
    """Doubles numbers in transactions; the first one is held until it is let go, so that others arrive meanwhile."""

    def __init__(self) -> None:
        self.transactions: list[list[int]] = []
        self.alone: list[int] = []
        self.is_held = Event()
        self.may_go = Event()

    def together(self, items: Sequence[int]) -> list[int | None]:
        if not self.transactions:
            self.is_held.set()
            assert self.may_go.wait(_PATIENCE_SECONDS)
        self.transactions.append(list(items))
        if 13 in items:
            raise ValueError("13 spoils everything")
        return [None if item == 7 else 2 * item for item in items]

    def one(self, item: int) -> int:
        self.alone.append(item)
        if item == 13:
            raise ValueError("13 spoils everything")
        return 2 * item


def calls(ledger: Ledger, most: int = 64) -> GroupedCalls[int, int]:
    return GroupedCalls("test", ledger.together, ledger.one, most=most)


async def held(ledger: Ledger) -> None:
    """Until the first group is being done."""
    assert await asyncio.to_thread(ledger.is_held.wait, _PATIENCE_SECONDS)


def run_behind_the_first(items: Sequence[int], most: int = 64) -> tuple[Ledger, list[int | BaseException]]:
    """Have the items arrive, in their order, while a first one (1) is being done."""
    ledger = Ledger()

    async def run() -> list[int | BaseException]:
        grouped = calls(ledger, most)
        first = asyncio.create_task(grouped.call(1))
        await held(ledger)
        others = asyncio.gather(*(grouped.call(item) for item in items), return_exceptions=True)
        # One turn of the loop, in which they all line up.
        await asyncio.sleep(0)
        ledger.may_go.set()
        assert await first == 2
        return await others

    return ledger, asyncio.run(run())


def test_who_comes_alone_waits_for_nobody() -> None:
    ledger = Ledger()
    ledger.may_go.set()
    assert asyncio.run(calls(ledger).call(4)) == 8
    assert ledger.transactions == [[4]]


def test_what_arrives_meanwhile_is_done_together() -> None:
    ledger, answers = run_behind_the_first([2, 3, 4, 5])
    assert answers == [4, 6, 8, 10]
    assert ledger.transactions == [[1], [2, 3, 4, 5]]
    assert ledger.alone == []


def test_a_group_takes_no_more_than_it_may() -> None:
    ledger, answers = run_behind_the_first([2, 3, 4, 5, 6], most=2)
    assert answers == [4, 6, 8, 10, 12]
    assert ledger.transactions == [[1], [2, 3], [4, 5], [6]]


def test_one_that_spoils_its_group_fails_alone_and_the_others_are_done() -> None:
    ledger, answers = run_behind_the_first([2, 13, 3])
    assert answers[0] == 4
    assert answers[2] == 6
    assert isinstance(answers[1], ValueError)
    assert sorted(ledger.alone) == [2, 3, 13]


def test_one_that_cannot_be_done_together_is_done_alone() -> None:
    ledger, answers = run_behind_the_first([2, 7, 3])
    assert answers == [4, 14, 6]
    assert ledger.alone == [7]


def once_begun(then: Callable[[Ledger, GroupedCalls[int, int], "asyncio.Task[int]"], Awaitable[None]]) -> Ledger:
    """Do something while a first call (3) is being done."""
    ledger = Ledger()

    async def run() -> None:
        grouped = calls(ledger)
        first = asyncio.create_task(grouped.call(3))
        await held(ledger)
        await then(ledger, grouped, first)

    asyncio.run(run())
    return ledger


def test_nobody_is_answered_before_his_group_is_done() -> None:
    async def wait(ledger: Ledger, _grouped: GroupedCalls[int, int], first: "asyncio.Task[int]") -> None:
        done, _ = await asyncio.wait([first], timeout=0.05)
        assert not done
        ledger.may_go.set()
        assert await first == 6

    once_begun(wait)


def test_who_has_gone_is_done_all_the_same_and_keeps_nobody_from_his_answer() -> None:
    async def go(ledger: Ledger, grouped: GroupedCalls[int, int], first: "asyncio.Task[int]") -> None:
        other = asyncio.create_task(grouped.call(4))
        first.cancel()
        await asyncio.sleep(0)
        ledger.may_go.set()
        assert await other == 8
        with pytest.raises(asyncio.CancelledError):
            await first

    assert once_begun(go).transactions == [[3], [4]]


def test_many_callers_cost_one_thread() -> None:
    async def call(ledger: Ledger, grouped: GroupedCalls[int, int], first: "asyncio.Task[int]") -> None:
        before = active_count()
        others = asyncio.gather(*(grouped.call(item) for item in range(20, 120)))
        await asyncio.sleep(0)
        assert active_count() <= before
        ledger.may_go.set()
        await first
        assert await others == [2 * item for item in range(20, 120)]

    assert [len(group) for group in once_begun(call).transactions] == [1, 64, 36]


def test_several_event_loops_may_call() -> None:
    ledger = Ledger()
    ledger.may_go.set()
    grouped = calls(ledger)
    assert [asyncio.run(grouped.call(item)) for item in (2, 3)] == [4, 6]


class Stopwatch:
    """A time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_groups_keep_a_pace_and_who_comes_after_a_quiet_moment_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, begun = Stopwatch(), list[float]()
    monkeypatch.setattr("control.grouped_calls.time", watch)

    def together(items: Sequence[int]) -> list[int]:
        begun.append(watch.now)
        return list(items)

    async def call() -> None:
        grouped = GroupedCalls("test", together, lambda item: item, pace_seconds=2)
        for item in range(3):
            await grouped.call(item)
        watch.sleep(5)
        await grouped.call(3)

    asyncio.run(call())
    assert begun == [0, 2, 4, 9]
