"""The gates of a ring: every way to pass and to fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.policy import FailureClass
from control.rollouts.counts import RingCounts, Standing
from control.rollouts.gates import failure_gate, failures, success_gate
from control.rollouts.spec import FailureGate, SuccessGate


def _ring(
    *, ok: int = 0, failed: int = 0, retrying: int = 0, kind: FailureClass = FailureClass.INSTALLER, **others: int
) -> RingCounts:
    standings = {Standing(name.replace("_", "-")): number for name, number in others.items()}
    standings |= {Standing.SUCCEEDED: ok, Standing.FAILED: failed, Standing.RETRYING: retrying}
    return RingCounts(standings, {kind: failed}, {kind: retrying})


class TestSuccess:
    @pytest.mark.parametrize(
        ("counts", "percent", "expected"),
        [
            (_ring(ok=9, at_work=1), 90, True),
            (_ring(ok=8, at_work=2), 90, False),
            (_ring(ok=9, failed=1), 90, True),
            (_ring(ok=10), 100, True),
            (_ring(ok=999, failed=1), 100, False),
            (_ring(at_work=10), 0, True),
        ],
    )
    def test_the_share_that_is_as_wanted_must_be_large_enough(
        self, counts: RingCounts, percent: float, expected: bool
    ) -> None:
        assert success_gate(SuccessGate(percent=percent), counts).holds is expected

    def test_it_says_its_figures(self) -> None:
        verdict = success_gate(SuccessGate(percent=95), _ring(ok=8, at_work=2, absent=5))
        assert verdict.words == "8 of 10 as wanted, 95 % are needed"

    def test_devices_that_are_offline_or_not_meant_are_left_out(self) -> None:
        assert success_gate(SuccessGate(), _ring(ok=1, absent=50, not_applicable=50, cancelled=50)).holds

    def test_a_ring_without_devices_has_nothing_to_show(self) -> None:
        assert success_gate(SuccessGate(), RingCounts()).holds

    def test_a_ring_that_concerns_nobody_has_nothing_to_show(self) -> None:
        assert success_gate(SuccessGate(), _ring(not_applicable=3, cancelled=1)).holds

    def test_a_ring_of_which_all_are_offline_waits(self) -> None:
        verdict = success_gate(SuccessGate(), _ring(absent=3, not_applicable=1))
        assert (verdict.holds, verdict.words) == (False, "all 3 that could tell are offline")

    def test_failures_that_were_accepted_are_left_out(self) -> None:
        assert not success_gate(SuccessGate(percent=100), _ring(ok=3, failed=2), accepted=1).holds
        assert success_gate(SuccessGate(percent=100), _ring(ok=3, failed=2), accepted=2).holds

    @given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.floats(0, 100))
    def test_one_more_success_never_closes_it(self, ok: int, failed: int, at_work: int, percent: float) -> None:
        gate = SuccessGate(percent=percent)
        if success_gate(gate, _ring(ok=ok, failed=failed, at_work=at_work)).holds and ok + failed + at_work:
            assert success_gate(gate, _ring(ok=ok + 1, failed=failed, at_work=at_work)).holds


class TestFailure:
    @pytest.mark.parametrize(
        ("counts", "gate", "expected"),
        [
            (_ring(ok=9, failed=1), FailureGate(percent=10), False),
            (_ring(ok=8, failed=2), FailureGate(percent=10), True),
            (_ring(at_work=8, failed=2), FailureGate(percent=10), True),
            (_ring(ok=900, failed=9), FailureGate(percent=None, count=10), False),
            (_ring(ok=900, failed=10), FailureGate(percent=None, count=10), True),
            (_ring(ok=9, failed=1), FailureGate(percent=50, count=1), True),
            (_ring(failed=10), FailureGate(percent=None), False),
            (_ring(ok=10), FailureGate(percent=0, count=1), False),
            (_ring(ok=999, failed=1), FailureGate(percent=0), True),
        ],
    )
    def test_too_large_a_share_or_number_trips_it(self, counts: RingCounts, gate: FailureGate, expected: bool) -> None:
        assert failure_gate(gate, counts).holds is expected

    def test_it_says_its_figures(self) -> None:
        assert (
            failure_gate(FailureGate(), _ring(ok=8, failed=2)).words
            == "2 of 10 failed, more than 10 % halt the rollout"
        )
        assert failure_gate(FailureGate(count=2), _ring(ok=98, failed=2)).words == "2 of 100 failed, 2 halt the rollout"

    @pytest.mark.parametrize("kind", FailureClass)
    def test_only_the_classes_it_names_count(self, kind: FailureClass) -> None:
        gate = FailureGate(classes=(FailureClass.INSTALLER, FailureClass.RULES))
        named = kind in gate.classes
        assert failure_gate(gate, _ring(ok=1, failed=9, kind=kind)).holds is named

    def test_devices_that_are_tried_again_count_only_where_it_says_so(self) -> None:
        counts = _ring(ok=5, retrying=5)
        assert not failure_gate(FailureGate(), counts).holds
        assert failure_gate(FailureGate(first_attempts=True), counts).holds

    def test_failures_that_were_accepted_count_no_more(self) -> None:
        gate, counts = FailureGate(), _ring(ok=7, failed=3)
        assert not failure_gate(gate, counts, accepted=failures(gate, counts)).holds
        assert failure_gate(gate, _ring(ok=7, failed=4), accepted=3).holds

    @given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.none() | st.floats(0, 100), st.integers(0, 9))
    def test_one_more_failure_never_resets_it(
        self, ok: int, failed: int, at_work: int, percent: float | None, accepted: int
    ) -> None:
        gate = FailureGate(percent=percent, count=30)
        if failure_gate(gate, _ring(ok=ok, failed=failed, at_work=at_work), accepted).holds:
            assert failure_gate(gate, _ring(ok=ok, failed=failed + 1, at_work=at_work), accepted).holds

    @given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 200))
    def test_what_was_accepted_when_it_was_resumed_never_trips_it(self, ok: int, failed: int, more: int) -> None:
        gate = FailureGate(percent=0, count=1)
        counts = _ring(ok=ok, failed=failed)
        assert not failure_gate(gate, counts, accepted=failures(gate, counts) + more).holds
