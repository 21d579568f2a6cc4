from uuid import uuid4

import pytest

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from worker.rules.admission import Admission, Standing, admit

REF = JobRef(job_id=str(uuid4()), generation=2, attempt=2)
CURRENT = Standing(newest_generation=2, newest_attempt=2)


def test_the_first_message_of_a_job_nobody_knows_is_due() -> None:
    assert admit(Phase.POLL, REF, Standing(), turn=0) is Admission.DUE


@pytest.mark.parametrize("phase", PHASES)
def test_an_older_generation_is_void_in_every_phase_even_if_it_has_ended(phase: Phase) -> None:
    standing = Standing(newest_generation=3, newest_attempt=2, begun=True, ended=True, handed_on=True)
    assert admit(phase, REF, standing, turn=0) is Admission.VOID


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_has_ended_is_repeated_also_when_its_attempt_is_closed(phase: Phase) -> None:
    standing = Standing(newest_generation=2, newest_attempt=2, closed=True, begun=True, ended=True)
    assert admit(phase, REF, standing, turn=0) is Admission.REPEATED


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_was_begun_but_not_ended_is_due_again(phase: Phase) -> None:
    assert admit(phase, REF, Standing(newest_generation=2, newest_attempt=2, begun=True), turn=0) is Admission.DUE


@pytest.mark.parametrize("phase", PHASES[1:])
def test_a_phase_that_nobody_handed_on_to_is_unasked(phase: Phase) -> None:
    assert admit(phase, REF, CURRENT, turn=0) is Admission.UNASKED
    assert admit(phase, REF, Standing(), turn=0) is Admission.UNASKED


@pytest.mark.parametrize("phase", PHASES[1:])
def test_a_phase_that_was_handed_on_to_is_due(phase: Phase) -> None:
    assert admit(phase, REF, Standing(newest_generation=2, newest_attempt=2, handed_on=True), turn=0) is Admission.DUE


@pytest.mark.parametrize("phase", PHASES)
def test_an_older_attempt_is_void(phase: Phase) -> None:
    standing = Standing(newest_generation=2, newest_attempt=3, begun=True, handed_on=True)
    assert admit(phase, REF, standing, turn=0) is Admission.VOID


def test_a_closed_attempt_begins_no_further_phase() -> None:
    standing = Standing(newest_generation=2, newest_attempt=2, closed=True, handed_on=True)
    assert admit(Phase.INSTALL, REF, standing, turn=0) is Admission.VOID


def test_a_newer_generation_than_any_seen_is_due() -> None:
    assert admit(Phase.POLL, REF, Standing(newest_generation=1), turn=0) is Admission.DUE


@pytest.mark.parametrize("phase", PHASES)
def test_a_message_whose_phase_waits_for_its_next_turn_is_repeated(phase: Phase) -> None:
    standing = Standing(newest_generation=2, newest_attempt=2, begun=True, turn=2)
    assert admit(phase, REF, standing, turn=1) is Admission.REPEATED


def test_a_message_from_before_the_latest_wait_is_void_and_one_from_after_it_is_due() -> None:
    standing = Standing(newest_generation=2, newest_attempt=2, begun=True, turn=2)
    assert admit(Phase.POLL, REF, standing, turn=0) is Admission.VOID
    assert admit(Phase.POLL, REF, standing, turn=2) is Admission.DUE
    # The ledger could not be written when the phase was put off: nothing is known of that turn.
    assert admit(Phase.POLL, REF, standing, turn=3) is Admission.DUE
