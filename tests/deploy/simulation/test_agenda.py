"""Whose turn it is: in order of time, in one thread's hands at a time, and nothing asked for is forgotten."""

import threading
import time
from collections import Counter

from deploy.simulation.agenda import Agenda

SECONDS = 60


def test_what_is_due_first_comes_first_and_the_earlier_time_counts() -> None:
    agenda: Agenda[str] = Agenda()
    now = time.monotonic()
    agenda.put("late", now - 1)
    agenda.put("moved up", now + 60)
    agenda.put("moved up", now - 2)
    agenda.put("moved up", now + 60)
    agenda.put("early", now - 3)
    assert [agenda.take() for _ in range(3)] == ["early", "moved up", "late"]


def test_one_waits_until_something_is_due() -> None:
    agenda: Agenda[str] = Agenda()
    due = time.monotonic() + 0.05
    agenda.put("soon", due)
    assert agenda.take() == "soon"
    assert time.monotonic() >= due


def test_what_is_asked_for_in_somebodys_hands_is_due_once_it_is_laid_down() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.put("busy", 0)
    agenda.put("other", 1)
    assert agenda.take() == "busy"
    agenda.put("busy", 0)
    assert agenda.take() == "other", "it is in somebody's hands"
    agenda.lay_down("busy", time.monotonic() + 60)
    assert agenda.take() == "busy", "the earlier of both times counts"


def test_nobody_waits_once_all_is_over() -> None:
    agenda: Agenda[str] = Agenda()
    ended: list[object] = []
    threads = [threading.Thread(target=lambda: ended.append(agenda.take())) for _ in range(3)]
    for thread in threads:
        thread.start()
    agenda.stop()
    for thread in threads:
        thread.join(SECONDS)
    assert ended == [None] * 3


def test_many_hands_never_hold_the_same_at_once() -> None:
    agenda: Agenda[int] = Agenda()
    held, turns, twice, lock = set[int](), Counter[int](), list[int](), threading.Lock()
    for key in range(5):
        agenda.put(key, 0)

    def work() -> None:
        while (key := agenda.take()) is not None:
            with lock:
                if key in held:
                    twice.append(key)
                held.add(key)
                turns[key] += 1
                total = turns.total()
            time.sleep(0)
            with lock:
                held.remove(key)
            agenda.lay_down(key, 0)
            # A thread that the system keeps waiting keeps what it holds from its turns: that is waited for.
            if (total >= 2000 and min(turns[key] for key in range(5)) > 100) or total >= 1_000_000:
                agenda.stop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert twice == []
    assert min(turns.values()) > 100, "each gets its turns"
