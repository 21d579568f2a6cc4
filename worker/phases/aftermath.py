"""What an attempt leaves beside its states: a restart that has to be made, and a word to the person at the device."""

from contract.policy import Policy
from contract.report import WaitReason
from contract.states import Outcome
from worker.findings import Findings
from worker.notices.notice import Event
from worker.notices.port import tell
from worker.phases.context import PhaseContext
from worker.restart.rules import PendingRestart

_BROUGHT_ABOUT = frozenset({Outcome.INSTALLED, Outcome.UNINSTALLED})


def note_restart(context: PhaseContext, policy: Policy, findings: Findings) -> str:
    """Note the restart that the command asked for (behaviour B-54); in words, empty where it asked for none."""
    succeeded = findings.outcome in _BROUGHT_ABOUT
    restart = context.device.restarts.note(policy, findings.exit_kind, succeeded=succeeded)
    return "" if restart is None else _words(restart)


def tell_result(context: PhaseContext, policy: Policy, findings: Findings) -> None:
    """Say how it ended (behaviour B-60); a failure that is soon followed by another attempt is no news."""
    if findings.outcome in _BROUGHT_ABOUT:
        tell(context.device.notifier, Event.INSTALLED, policy)
    elif findings.outcome is Outcome.FAILED and _is_final(findings):
        tell(context.device.notifier, Event.FAILED, policy)


def _is_final(findings: Findings) -> bool:
    return findings.next_action is None or findings.next_action.reason is WaitReason.GRS


def _words(restart: PendingRestart) -> str:
    due = "" if restart.due_at is None else f" by {restart.due_at.isoformat(timespec='minutes')}"
    return f"the device must restart{due}" + ("; other apps wait for it" if restart.blocks else "")
