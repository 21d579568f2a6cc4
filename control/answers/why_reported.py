"""What a device has reported of an app, as a chain of reasons: pure functions over its newest job."""

from collections.abc import Iterator
from typing import Final

from contract.phases import Phase
from contract.report import PhaseOutcome
from contract.states import Applicability, Outcome
from control.live_states import LIVE_STATES
from control.views.jobs import JobDetail, PhaseView
from control.views.why import WhyKind, WhyReason
from control.waiting import WaitingFor

#: The phases that judge, with words for what they judge.
_JUDGING: Final = {
    Phase.DETECT: "detection",
    Phase.APPLICABILITY: "what every app asks of a device",
    Phase.REQUIREMENTS: "the app's requirement rules",
    Phase.CONFIRM: "detection after the command",
}
_OUTCOMES: Final = {
    Outcome.INSTALLED: "the app was installed",
    Outcome.ALREADY_INSTALLED: "the app was there already",
    Outcome.UNINSTALLED: "the app was uninstalled",
    Outcome.ALREADY_ABSENT: "the app was not there in the first place",
    Outcome.NOT_APPLICABLE: "the app cannot run on this device",
    Outcome.REQUIREMENTS_NOT_MET: "the device does not meet the app's requirements",
    Outcome.FAILED: "the attempt failed",
    Outcome.EVALUATED: "the device only looked: the app is not there, and could be installed",
    Outcome.CANCELLED: "an operator cancelled it",
}


def reported_reasons(job: JobDetail, applicability: Applicability | None) -> tuple[WhyReason, ...]:
    """What happened to the device's newest job for the app, what was compared, and what is next.

    Args:
        job: The newest one.
        applicability: What its newest report says; None where there is none.
    """
    return (*_judgements(job), *_outcome(job, applicability), *_error(job), *_wait(job))


def _judgements(job: JobDetail) -> Iterator[WhyReason]:
    newest = [record for record in job.phases if _attempt(record) == max(map(_attempt, job.phases))]
    for record in newest:
        if record.phase in _JUDGING and record.outcome is not PhaseOutcome.FAILED and record.summary:
            yield WhyReason(
                kind=WhyKind.JUDGEMENT,
                words=f"{_JUDGING[record.phase]}: {record.summary}",
                facts={
                    "phase": record.phase.value,
                    "outcome": record.outcome.value,
                    "found": record.summary,
                    "at": record.ended_at.isoformat(),
                },
            )


def _attempt(record: PhaseView) -> tuple[int, int]:
    return record.generation, record.attempt


def _outcome(job: JobDetail, applicability: Applicability | None) -> Iterator[WhyReason]:
    if job.outcome is None:
        return
    unmet = applicability if job.outcome in {Outcome.NOT_APPLICABLE, Outcome.REQUIREMENTS_NOT_MET} else None
    besides = "" if unmet is None else f" ({unmet.value}, {unmet.name.lower().replace('_', ' ')})"
    yield WhyReason(
        kind=WhyKind.OUTCOME,
        words=f"{_OUTCOMES[job.outcome]}{besides}",
        facts={
            "outcome": job.outcome.value,
            "applicability": None if applicability is None else applicability.value,
            "enforcement_state": None if job.enforcement_state is None else job.enforcement_state.value,
            "revision": job.revision,
        },
    )


def _error(job: JobDetail) -> Iterator[WhyReason]:
    if job.error_code is None:
        return
    exit_code = "" if job.raw_exit_code is None else f", exit code {job.raw_exit_code}"
    hint = f". {job.hint}" if job.hint else ""
    yield WhyReason(
        kind=WhyKind.ERROR,
        words=f"{job.error_code}{exit_code}: {job.error_detail}{hint}",
        facts={
            "code": job.error_code,
            "number": job.error_number,
            "exit_code": job.raw_exit_code,
            "detail": job.error_detail,
            "hint": job.hint,
        },
    )


def _wait(job: JobDetail) -> Iterator[WhyReason]:
    if job.state not in LIVE_STATES or job.waiting_for is None:
        return
    kind = WhyKind.OFFLINE if job.waiting_for is WaitingFor.DEVICE else WhyKind.WAIT
    yield WhyReason(
        kind=kind,
        words=job.next_action,
        facts={
            "waiting_for": job.waiting_for.value,
            "reason": None if job.next_action_reason is None else job.next_action_reason.value,
            "since": None if job.waiting_since is None else job.waiting_since.isoformat(),
            "until": None if job.waiting_until is None else job.waiting_until.isoformat(),
        },
    )
