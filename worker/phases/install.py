"""Phase 8: detect once more, run the command, watch it, map its exit code (behaviour B-50 to B-53, C-25)."""

from dataclasses import dataclass

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.report import WaitReason
from contract.rules import RunAsAccount
from contract.states import ReturnCodeType
from worker.findings import Findings
from worker.installation.installer import earlier_run, run_installer
from worker.installation.intact_content import make_intact
from worker.installation.user_context import is_logged_on, logged_on_user, require_supported
from worker.judgement.detection import Detection, detect
from worker.notices.notice import Event
from worker.notices.port import tell
from worker.phases.context import Deferred, PhaseContext, PhaseResult, done, failed, settled
from worker.phases.user_wait import NO_USER_WAIT_SECONDS
from worker.processes.tail import tail
from worker.processes.watched import Ended
from worker.rules.desired import already_as_desired, is_as_desired
from worker.rules.exit_codes import failure, from_wait_status, is_success, meaning

#: How much of the end of an installer's output goes into the report.
OUTPUT_TAIL_BYTES = 8 * 1024


def install(context: PhaseContext) -> PhaseResult | Deferred:
    """Run the command, unless detection says there is nothing to do, or it has run before.

    An agent that was killed while its installer ran comes here again: the installer, if it still runs, is waited for;
    then detection judges what it left. The attempt counts either way. A command in a user's name waits until somebody
    is logged on.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED, CONTENT_VANISHED, INSTALLER_NOT_STARTED, USER_LOGGED_OFF, or what fetching
            and unpacking content again raise.
        UnavailableError: Content has to be fetched again and control plane or content store do not answer.
    """
    earlier = earlier_run(context.device, context.ref, context.policy)
    detection = detect(context.policy.detection_rules, context.device.machine)
    as_desired = is_as_desired(context.policy.intent, detection.state)
    if earlier is not None:
        return _result(context, Execution(earlier), as_desired=as_desired)
    if as_desired:
        return _nothing_to_do(context, detection)
    execution = _execute(context)
    return execution if isinstance(execution, Deferred) else _result(context, execution, as_desired=as_desired)


@dataclass(frozen=True)
class Execution:
    """A command that was run.

    Attributes:
        repaired: What of the content had to be put right first; empty for nothing.
        user_name: In whose name it ran where it ran in a person's.
    """

    ended: Ended
    repaired: str = ""
    user_name: str = ""


def _execute(context: PhaseContext) -> Execution | Deferred:
    device, ref, policy = context.device, context.ref, context.policy
    user = None
    if policy.install_experience.run_as_account is RunAsAccount.USER:
        require_supported(policy)
        user = logged_on_user(device.machine.platform)
        if user is None:
            return Deferred(WaitReason.NO_USER, NO_USER_WAIT_SECONDS)
    tell(device.notifier, Event.INSTALLING, policy)
    repaired = make_intact(device, ref, policy, context.on_bytes)
    ended = run_installer(device, ref, policy, user)
    return Execution(ended, repaired, "" if user is None else user.account.name)


def _nothing_to_do(context: PhaseContext, detection: Detection) -> PhaseResult:
    found = {"detection_state": detection.state, "outcome": already_as_desired(context.policy.intent)}
    return settled(context.findings.model_copy(update=found), f"the command was not needed: {detection.words}")


def _result(context: PhaseContext, execution: Execution, *, as_desired: bool) -> PhaseResult:
    findings, ended = _with_output(context, execution), execution.ended
    limit = context.policy.limits.max_run_time_seconds
    if ended.stopped:
        return failed(findings, PhaseError(ErrorCode.INSTALLER_STOPPED))
    if ended.timed_out:
        detail = f"limit {limit:g} s"
        return failed(findings, PhaseError(ErrorCode.INSTALLER_TIMEOUT, detail=detail))
    if ended.exit_code is not None:
        return _by_exit_code(context, findings, execution)
    if as_desired:
        return done(findings, "the command ended while the agent was away; its exit code is unknown, detection agrees")
    detail = "the command ended while the agent was away, its exit code is unknown, and detection does not agree"
    return failed(findings, PhaseError(ErrorCode.INSTALLER_INTERRUPTED, detail=detail))


def _by_exit_code(context: PhaseContext, findings: Findings, execution: Execution) -> PhaseResult:
    exit_code = from_wait_status(execution.ended.exit_code or 0)
    kind = meaning(exit_code, context.policy.return_codes)
    findings = findings.model_copy(update={"raw_exit_code": exit_code, "exit_kind": kind})
    if not is_success(kind):
        return failed(findings, _failure(context, exit_code, kind, execution.user_name))
    words = f"exit code {exit_code}: {kind.name.lower().replace('_', ' ')}"
    return done(findings, "; ".join(part for part in (words, execution.repaired) if part))


def _failure(context: PhaseContext, exit_code: int, kind: ReturnCodeType, user_name: str) -> PhaseError:
    """Why it failed; a log-off ends the user's programs, and that says more than the signal they ended by."""
    if user_name and not is_logged_on(context.device.machine.platform, user_name):
        detail = f"while the command ran; exit code {exit_code}"
        return PhaseError(ErrorCode.USER_LOGGED_OFF, detail=detail, place=user_name, raw_exit_code=exit_code)
    return failure(exit_code, kind)


def _with_output(context: PhaseContext, execution: Execution) -> Findings:
    log = context.device.folders.installer_log(context.policy, context.ref)
    found = {"output_tail": tail(log, OUTPUT_TAIL_BYTES), "user_name": execution.user_name}
    return context.findings.model_copy(update=found)
