from worker.rules.backoff import LONGEST_WAIT_SECONDS, MAX_TRIES, growing_wait, wait_after


def test_waits_grow_to_a_bound() -> None:
    waits = [growing_wait(tries) for tries in range(1, 200)]
    assert waits[0] < waits[1] < waits[2]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_SECONDS


def test_a_phase_tries_a_bounded_number_of_times() -> None:
    assert wait_after(MAX_TRIES - 1) == LONGEST_WAIT_SECONDS
    assert wait_after(MAX_TRIES) is None


def test_an_outage_of_months_overflows_nothing() -> None:
    assert growing_wait(10_000_000) == LONGEST_WAIT_SECONDS
