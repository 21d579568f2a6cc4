"""Group commit: what arrives together is one transaction; everybody is answered as if alone, after the commit."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from control.ingest.group_commit import GroupCommit
from deploy.local.polling import wait_until

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


def run_behind_the_first(items: Sequence[int], most: int = 64) -> tuple[Ledger, list[int | Exception]]:
    """Have the items arrive, in their order, while a first one (1) is being committed."""
    ledger = Ledger()
    group = GroupCommit(ledger.together, ledger.one, most)

    def answer(item: int) -> int | Exception:
        try:
            return group.run(item)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(items) + 1) as pool:
        first = pool.submit(answer, 1)
        assert ledger.is_held.wait(_PATIENCE_SECONDS)
        others = []
        for number, item in enumerate(items, 1):
            others.append(pool.submit(answer, item))
            assert wait_until(lambda: len(group._waiting) == number, seconds=_PATIENCE_SECONDS)  # noqa: B023  at once
        ledger.may_go.set()
        assert first.result(_PATIENCE_SECONDS) == 2
        return ledger, [other.result(_PATIENCE_SECONDS) for other in others]


def test_who_comes_alone_waits_for_nobody() -> None:
    ledger = Ledger()
    ledger.may_go.set()
    assert GroupCommit(ledger.together, ledger.one).run(4) == 8
    assert ledger.transactions == [[4]]


def test_what_arrives_during_a_commit_is_one_transaction() -> None:
    ledger, answers = run_behind_the_first([2, 3, 4, 5])
    assert answers == [4, 6, 8, 10]
    assert ledger.transactions == [[1], [2, 3, 4, 5]]
    assert ledger.alone == []


def test_a_transaction_takes_no_more_than_it_may() -> None:
    ledger, answers = run_behind_the_first([2, 3, 4, 5, 6], most=2)
    assert answers == [4, 6, 8, 10, 12]
    assert ledger.transactions == [[1], [2, 3], [4, 5], [6]]


def test_one_that_spoils_the_transaction_fails_alone_and_the_others_are_done() -> None:
    ledger, answers = run_behind_the_first([2, 13, 3])
    assert answers[0] == 4
    assert answers[2] == 6
    assert isinstance(answers[1], ValueError)
    assert sorted(ledger.alone) == [2, 3, 13]


def test_one_that_cannot_be_done_together_is_done_alone() -> None:
    ledger, answers = run_behind_the_first([2, 7, 3])
    assert answers == [4, 14, 6]
    assert ledger.alone == [7]


def test_nobody_is_answered_before_the_commit() -> None:
    ledger = Ledger()
    group = GroupCommit(ledger.together, ledger.one)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(group.run, 3)
        assert ledger.is_held.wait(_PATIENCE_SECONDS)
        with pytest.raises(TimeoutError):
            waiting.result(0.05)
        ledger.may_go.set()
        assert waiting.result(_PATIENCE_SECONDS) == 6
