"""Every interleaving of redelivery, duplication, reordering, crash, restart, cancel, retry-now, re-sending, clock jump.

The table it explores stands in `worker/rules/admission.py`. Without the rules on older generations, ended phases, turns
and hand-overs, without orders to cancel, without what the ledger remembers of ended phases, installs, waits and
reports, or with a wait that trusts the clock, an invariant fails.

Three rules only save work, so that no invariant misses them; `test_engine_repetition.py` and `rules/test_admission.py`
show each of them. Messages of older and of closed attempts are void: let in, they would find a phase that has ended, or
an attempt that the ledger does not open again. A phase does not hand on again where what follows was seen, or was sent
by this process: sent twice, it would be void the second time.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.uplink import OrderKind
from tests.worker.model_world import Answer, Gap, World
from worker.rules.admission import Admission, admit

#: Ten seconds of work; every commit waits for the disk, and a busy machine makes minutes of it.
pytestmark = pytest.mark.timeout(600)

JOBS = [str(UUID(int=number, version=4)) for number in (1, 2)]

#: Few, so that a generation which is lost is not made good by the next one before anybody looks.
MAX_GENERATIONS = 3
#: Chances that a step goes well to one that a certain thing goes wrong: a chain is to come to its end now and then.
CALM = 12
#: Commits of the ledger until the process is killed, and whether just before that one.
CRASHES = tuple((commits, is_before) for commits in range(5) for is_before in (True, False))
#: No job needs more steps than this to end once nothing goes wrong any more.
MAX_STEPS = 400
#: No wait is longer than the GRS; while nothing goes wrong none follows another.
LONGEST_WAIT_SECONDS = 86_400 + 60
#: By how much the clock is set; with any wait on top it is longer than the longest wait.
DAY = timedelta(days=1)
RETRY_INTERVAL = timedelta(minutes=5)


class EngineMachine(RuleBasedStateMachine):
    """One device with two jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.generations = dict.fromkeys(JOBS, 0)

    def teardown(self) -> None:
        """Once nothing goes wrong any more, every job comes to its end."""
        try:
            self._let_everything_end()
            self._check_nothing_is_lost()
            self.no_installer_is_started_twice_for_an_attempt()
            self.nothing_is_done_for_a_generation_that_is_void()
            self.no_installer_is_started_for_a_job_that_was_cancelled()
            self.a_report_says_the_same_however_often_it_comes()
        finally:
            self.world.close()

    # --- what happens ---

    @initialize()
    def the_first_job_is_sent(self) -> None:
        self._send(JOBS[0])

    @precondition(lambda self: sum(self.generations.values()) < MAX_GENERATIONS)
    @rule(job=st.sampled_from(JOBS))
    def the_control_plane_sends_a_new_generation(self, job: str) -> None:
        """For the first time, for "retry now", or because the reconciler heard nothing."""
        self._send(job)

    @precondition(lambda self: any(self.generations.values()))
    @rule(data=st.data(), phase=st.sampled_from(PHASES[1:]))
    def a_link_that_nobody_handed_on_to_turns_up(self, data: st.DataObject, phase: Phase) -> None:
        job = data.draw(st.sampled_from([job for job, generation in self.generations.items() if generation]))
        ref = JobRef(job_id=job, generation=self.generations[job], attempt=1)
        if not self.world.ledger.attempts.standing(phase, ref).handed_on:
            self.world.deliver_stray(phase, ref)

    @precondition(lambda self: any(self.generations.values()))
    @rule(data=st.data())
    def a_dispatcher_dies_and_another_sends_the_same_again(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from([job for job, generation in self.generations.items() if generation]))
        self.world.send(job, self.generations[job])

    @precondition(lambda self: any(self.generations.values()))
    @rule(data=st.data(), kind=st.sampled_from(OrderKind))
    def an_operator_cancels(self, data: st.DataObject, kind: OrderKind) -> None:
        job = data.draw(st.sampled_from([job for job, generation in self.generations.items() if generation]))
        self.world.order(job, self.generations[job], kind)
        waiting = [running.ref for running in self.world.ledger.attempts.running() if running.wait is not None]
        assert job not in {ref.job_id for ref in waiting}, "what waits ends at once"

    @precondition(lambda self: self.world.due())
    @rule(
        data=st.data(),
        answer=st.sampled_from([Answer.DONE] * CALM + list(Answer)),
        gap=st.sampled_from([Gap.NONE] * CALM + list(Gap)),
        publishes=st.sampled_from([1] * CALM + [2]),
        crash_in=st.sampled_from([None] * (CALM * len(CRASHES)) + list(CRASHES)),
        power_is_cut=st.booleans(),
    )
    def a_message_is_run(
        self,
        data: st.DataObject,
        answer: Answer,
        gap: Gap,
        publishes: int,
        crash_in: tuple[int, bool] | None,
        *,
        power_is_cut: bool,
    ) -> None:
        world = self.world
        message = data.draw(st.sampled_from(world.due()))
        world.answer, world.crash_in, world.power_is_cut = answer, crash_in, power_is_cut
        world.deliver(message, gap=gap, publishes=publishes)
        world.answer, world.crash_in, world.power_is_cut = Answer.DONE, None, False

    @precondition(lambda self: self.world.due())
    @rule(phase=st.sampled_from(PHASES), answer=st.sampled_from(Answer), gap=st.sampled_from(Gap))
    def all_goes_well_until_a_phase(self, phase: Phase, answer: Answer, gap: Gap) -> None:
        self._go_until(phase, answer, gap)

    @precondition(lambda self: self.world.due())
    @rule(
        failures=st.integers(1, 3),
        last=st.sampled_from([Phase.COMPLIANCE, Phase.REPORT, Phase.POLL]),
        gap=st.sampled_from(Gap),
    )
    def attempts_fail_while_the_clock_is_a_day_ahead(self, failures: int, last: Phase, gap: Gap) -> None:
        """Their waits are reckoned by a clock that is put right once the last of them has come to a phase."""
        self.world.set_clock(DAY)
        for failure in range(failures):
            if failure:
                self._go_until(Phase.POLL, Answer.DONE)
                self.world.clock.advance(RETRY_INTERVAL)
            self._go_until(Phase.DOWNLOAD, Answer.FAILED)
        self._go_until(last, Answer.DONE, gap)
        self.world.set_clock(-DAY)

    @precondition(lambda self: self.world.due())
    @rule(phase=st.sampled_from(PHASES), gap=st.sampled_from(Gap))
    def a_phase_waits_while_the_clock_is_a_day_ahead(self, phase: Phase, gap: Gap) -> None:
        self.world.set_clock(DAY)
        self._go_until(phase, Answer.DEFERRED, gap)
        self.world.set_clock(-DAY)

    @precondition(lambda self: self.world.due())
    @rule(power_is_cut=st.booleans())
    def the_agent_is_killed_while_an_installer_runs(self, *, power_is_cut: bool) -> None:
        self.world.power_is_cut = power_is_cut
        self._go_until(Phase.INSTALL, Answer.CRASH)
        self.world.power_is_cut = False

    @rule(power_is_cut=st.booleans())
    def the_agent_is_killed_at_rest(self, *, power_is_cut: bool) -> None:
        self.world.restart(power_is_cut=power_is_cut)

    @rule(seconds=st.sampled_from([2, 300, 600, 28_800, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))

    @rule(available=st.booleans())
    def the_control_plane_goes_or_comes(self, available: bool) -> None:
        self.world.uplink.available = available

    @rule(by=st.sampled_from([-DAY, DAY]))
    def the_clock_is_set(self, by: timedelta) -> None:
        self.world.set_clock(by)

    # --- what always holds ---

    @invariant()
    def no_installer_is_started_twice_for_an_attempt(self) -> None:
        assert all(count == 1 for count in self.world.installs.values()), self.world.installs

    @invariant()
    def nothing_is_done_for_a_generation_that_is_void(self) -> None:
        assert self.world.voided == []

    @invariant()
    def no_installer_is_started_for_a_job_that_was_cancelled(self) -> None:
        assert self.world.disobeyed == []

    @invariant()
    def one_chain_of_a_generation_does_work(self) -> None:
        """Whatever lies in the queue more than once, only one place of a generation is ever entered next."""
        entries: dict[tuple[str, int], set[object]] = {}
        for message in self.world.messages:
            standing = self.world.ledger.attempts.standing(message.phase, message.ref)
            if admit(message.phase, message.ref, standing, turn=message.turn) is Admission.DUE:
                key = (message.ref.job_id, message.ref.generation)
                entries.setdefault(key, set()).add((message.phase, message.ref, message.turn))
        assert all(len(places) == 1 for places in entries.values()), entries

    @invariant()
    def a_report_says_the_same_however_often_it_comes(self) -> None:
        said: dict[object, object] = {}
        for report in self.world.reports():
            key = (report.job_id, report.generation, report.attempt, report.sequence)
            assert said.setdefault(key, report.outcome) == report.outcome, key

    # --- how it goes on, and ends ---

    def _go_until(self, phase: Phase, answer: Answer, gap: Gap = Gap.NONE) -> None:
        """Run what is due, in order, until a phase has answered so or nothing is due any more."""
        for _ in PHASES:
            due = self.world.due()
            if not due:
                return
            if due[0].phase is phase:
                self.world.answer = answer
                self.world.deliver(due[0], gap=gap)
                self.world.answer = Answer.DONE
                return
            self.world.deliver(due[0])

    def _send(self, job: str) -> None:
        self.generations[job] += 1
        self.world.send(job, self.generations[job])

    def _let_everything_end(self) -> None:
        world = self.world
        calm_since = world.clock.monotonic()
        for _ in range(MAX_STEPS):
            if not world.messages:
                assert world.clock.monotonic() - calm_since <= LONGEST_WAIT_SECONDS
                return
            message = min(world.messages, key=lambda message: message.due_at)
            world.clock.advance(max(timedelta(0), message.due_at - world.clock.now()))
            world.deliver(message)
        raise AssertionError(f"still not at rest: {world.messages}")

    def _check_nothing_is_lost(self) -> None:
        final = {(report.job_id, report.generation) for report in self.world.reports() if report.next_action is None}
        for job, generation in self.generations.items():
            assert not generation or (job, generation) in final, f"job {job} generation {generation} is lost"
        assert self.world.ledger.attempts.running() == []


EngineMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEngine = EngineMachine.TestCase
