"""Any history of results, operators, time and restarts: a rollout keeps its promises in all of them.

What a rollout knows is kept as JSON between any two steps, as in a database: a restart at any point loses nothing else.
"""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import TypeAdapter

from contract.policy import FailureClass
from control.rollouts.advance import Course, Decision, RingProgress, Step, advance, soaks_until
from control.rollouts.counts import RingCounts, Standing
from control.rollouts.gates import failure_gate, failures, success_gate
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import TRANSITIONS, OperatorAction, RolloutAction, RolloutState

RINGS = TypeAdapter(tuple[RingProgress, ...])
ACTIONS = {
    Step.HALT: RolloutAction.HALT,
    Step.ROLL_BACK: RolloutAction.ROLL_BACK,
    Step.FINISH: RolloutAction.FINISH,
    Step.SETTLE: RolloutAction.SETTLE,
}


class RolloutModel(RuleBasedStateMachine):
    """Devices are counted only; admission lets all of an open ring in."""

    @initialize(
        soaks=st.lists(st.sampled_from([0, 60, 3600]), min_size=1, max_size=4),
        sizes=st.lists(st.integers(0, 5), min_size=4, max_size=4),
        rolls_back=st.booleans(),
    )
    def make(self, soaks: list[int], sizes: list[int], rolls_back: bool) -> None:
        """A rollout as it is made."""
        rings = [{"name": str(number), "count": 1, "soak_seconds": soak} for number, soak in enumerate(soaks)]
        rings[-1].pop("count")
        self.spec = RolloutSpec.model_validate({"rings": rings, "rollback_on_failure": rolls_back})
        self.state = RolloutState.DRAFT
        self.stored = RINGS.dump_json((RingProgress(),) * len(rings))
        self.devices = [[Standing.HELD] * size for size in sizes[: len(rings)]]
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    @property
    def course(self) -> Course:
        """The rollout, read anew: nothing else outlives a step."""
        return Course(self.state, self.spec, RINGS.validate_json(self.stored))

    @property
    def counts(self) -> list[RingCounts]:
        """How its devices are doing."""
        found = []
        for ring in self.devices:
            standings = {standing: ring.count(standing) for standing in set(ring)}
            found.append(RingCounts(standings, {FailureClass.INSTALLER: ring.count(Standing.FAILED)}))
        return found

    @rule(action=st.sampled_from(OperatorAction))
    def operate(self, action: OperatorAction) -> None:
        """An operator does something that can be done; everything else is refused and changes nothing."""
        following = TRANSITIONS.get((self.state, action.action), self.state)
        if action is OperatorAction.RESUME and self.state is RolloutState.HALTED:
            parts = zip(self.course.rings, self.spec.rings, self.counts, strict=True)
            accepted = [replace(ring, accepted_failures=failures(said.failure, found)) for ring, said, found in parts]
            self._store(tuple(accepted))
        self.state = following

    @rule(minutes=st.integers(0, 90))
    def pass_time(self, minutes: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.state is RolloutState.RUNNING)
    @rule()
    def admit(self) -> None:
        """The devices of open rings begin."""
        for number, ring in enumerate(self.course.rings):
            if ring.opened_at is not None:
                self.devices[number] = [
                    Standing.AT_WORK if one is Standing.HELD else one for one in self.devices[number]
                ]

    @rule(ring=st.integers(0, 3), standing=st.sampled_from(Standing), device=st.integers(0, 4))
    def report(self, ring: int, standing: Standing, device: int) -> None:
        """A device that has begun says how it is doing."""
        found = self.devices[ring] if ring < len(self.devices) else []
        if device < len(found) and found[device] is not Standing.HELD and standing is not Standing.HELD:
            found[device] = standing

    @rule(killed=st.booleans())
    def advance(self, killed: bool) -> None:
        """The rollout advances; one that is killed before it has written has done nothing, and decides the same."""
        first = advance(self.course, self.counts, self.now)
        again = advance(self.course, self.counts, self.now)
        assert first == again
        if first is None or killed:
            return
        self._check(first)
        self._apply(first)
        repeated = advance(self.course, self.counts, self.now)
        assert repeated is None or (repeated.step, repeated.ring) != (first.step, first.ring)

    def _apply(self, decision: Decision) -> None:
        action = ACTIONS.get(decision.step)
        if action is not None:
            self.state = TRANSITIONS[self.state, action]
            return
        rings, number = list(self.course.rings), decision.ring or 0
        field = {Step.OPEN_RING: "opened_at", Step.SOAK: "soak_since", Step.CLOSE_RING: "passed_at"}[decision.step]
        assert asdict(rings[number])[field] is None
        rings[number] = RingProgress(**{**asdict(rings[number]), field: self.now})
        self._store(tuple(rings))

    def _store(self, rings: tuple[RingProgress, ...]) -> None:
        self.stored = RINGS.dump_json(rings)

    def _check(self, decision: Decision) -> None:
        """What was decided was due."""
        course, counts = self.course, self.counts
        tripped = [
            number
            for number, (said, ring, found) in enumerate(zip(self.spec.rings, course.rings, counts, strict=True))
            if ring.opened_at and failure_gate(said.failure, found, ring.accepted_failures).holds
        ]
        stops = decision.step in {Step.HALT, Step.ROLL_BACK}
        assert stops is (bool(tripped) and self.state is RolloutState.RUNNING)
        if decision.step is Step.CLOSE_RING and decision.ring is not None:
            said, ring, found = self.spec.rings[decision.ring], course.rings[decision.ring], counts[decision.ring]
            assert success_gate(said.success, found, ring.accepted_failures).holds
            assert ring.soak_since is not None
            assert not found.devices or self.now >= soaks_until(said, ring.soak_since)
        if decision.step is Step.FINISH:
            assert all(ring.passed_at for ring in course.rings)
            assert not any(found.of(Standing.HELD) for found in counts)

    @invariant()
    def rings_are_opened_in_order_each_when_the_one_before_has_passed(self) -> None:
        """No ring is ahead of another."""
        if not hasattr(self, "spec"):
            return
        rings = self.course.rings
        for before, ring in pairwise(rings):
            assert ring.opened_at is None or (before.passed_at is not None and before.passed_at <= ring.opened_at)

    @invariant()
    def nobody_begins_before_their_ring_is_open(self) -> None:
        """Devices of a ring that is shut have what they had."""
        if not hasattr(self, "spec"):
            return
        for ring, devices in zip(self.course.rings, self.devices, strict=True):
            assert ring.opened_at is not None or set(devices) <= {Standing.HELD}

    @invariant()
    def what_is_over_decides_nothing(self) -> None:
        """Nor does what has not begun, is paused, or is halted."""
        if hasattr(self, "spec") and self.state not in {RolloutState.RUNNING, RolloutState.ROLLING_BACK}:
            assert advance(self.course, self.counts, self.now) is None


TestRollout = RolloutModel.TestCase
TestRollout.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
