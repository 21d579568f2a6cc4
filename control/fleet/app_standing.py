"""How an available app stands on a device, by its newest job there; for the person at the device.

| the newest job | the app is |
|---|---|
| none, or one that nobody wants any more | requested, where it was asked for; else not installed |
| held, while another app is installed or removed first | in progress |
| held, because another app cannot be brought there | failed |
| waits for the end of the GRS | failed |
| live otherwise | in progress |
| cancelled by an operator | cancelled |
| finished | as its outcome says; an app that is only looked at is not installed |
"""

from typing import Final

from contract.available_apps import AppRequestKind, AppStanding
from contract.jobs import JobState
from contract.report import WaitReason
from contract.states import EnforcementState, Outcome
from control.cancel_reasons import CancelReason
from control.database.tables import Job
from control.planning.models import Request

_BY_OUTCOME: Final = {
    Outcome.INSTALLED: AppStanding.INSTALLED,
    Outcome.ALREADY_INSTALLED: AppStanding.INSTALLED,
    Outcome.UNINSTALLED: AppStanding.NOT_INSTALLED,
    Outcome.ALREADY_ABSENT: AppStanding.NOT_INSTALLED,
    Outcome.EVALUATED: AppStanding.NOT_INSTALLED,
    Outcome.NOT_APPLICABLE: AppStanding.NOT_APPLICABLE,
    Outcome.REQUIREMENTS_NOT_MET: AppStanding.NOT_APPLICABLE,
    Outcome.CANCELLED: AppStanding.CANCELLED,
}

_OTHERS_FIRST: Final = frozenset(
    {
        EnforcementState.IN_PROGRESS_DEPENDENCY_INSTALLING,
        EnforcementState.IN_PROGRESS_PENDING_UNINSTALL_OF_SUPERSEDED_APPS,
    }
)


def standing_of(job: Job | None, request: Request | None) -> AppStanding:
    """How the app stands."""
    if job is None:
        return _untouched(request)
    match job.state:
        case JobState.FINISHED:
            return AppStanding.FAILED if job.outcome is None else _BY_OUTCOME.get(job.outcome, AppStanding.FAILED)
        case JobState.CANCELLED:
            by_operator = job.cancel_reason is CancelReason.OPERATOR
            return AppStanding.CANCELLED if by_operator else _untouched(request)
        case JobState.HELD:
            return AppStanding.IN_PROGRESS if job.enforcement_state in _OTHERS_FIRST else AppStanding.FAILED
        case JobState.WAITING if job.next_action_reason is WaitReason.GRS:
            return AppStanding.FAILED
        case _:
            return AppStanding.IN_PROGRESS


def _untouched(request: Request | None) -> AppStanding:
    is_asked_for = request is not None and request.kind is AppRequestKind.INSTALL
    return AppStanding.REQUESTED if is_asked_for else AppStanding.NOT_INSTALLED
