"""Phase 8: detect once more, run the command, watch it, map its exit code (behaviour B-50 to B-53, C-25)."""

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from worker.findings import Findings
from worker.installation.installer import earlier_run, run_installer
from worker.judgement.detection import Detection, detect
from worker.phases.context import PhaseContext, PhaseResult, done, failed, settled
from worker.processes.tail import tail
from worker.processes.watched import Ended
from worker.rules.desired import already_as_desired, is_as_desired
from worker.rules.exit_codes import failure, from_wait_status, is_success, meaning

#: How much of the end of an installer's output goes into the report.
OUTPUT_TAIL_BYTES = 8 * 1024


def install(context: PhaseContext) -> PhaseResult:
    """Run the command, unless detection says there is nothing to do, or it has run before.

    An agent that was killed while its installer ran comes here again: the installer, if it still runs, is waited for;
    then detection judges what it left. The attempt counts either way.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED, CONTENT_VANISHED or INSTALLER_NOT_STARTED.
    """
    earlier = earlier_run(context.device, context.ref, context.policy)
    detection = detect(context.policy.detection_rules, context.device.machine)
    as_desired = is_as_desired(context.policy.intent, detection.state)
    if earlier is None and as_desired:
        return _nothing_to_do(context, detection)
    ended = earlier or run_installer(context.device, context.ref, context.policy)
    return _result(context, ended, as_desired=as_desired)


def _nothing_to_do(context: PhaseContext, detection: Detection) -> PhaseResult:
    found = {"detection_state": detection.state, "outcome": already_as_desired(context.policy.intent)}
    return settled(context.findings.model_copy(update=found), f"the command was not needed: {detection.words}")


def _result(context: PhaseContext, ended: Ended, *, as_desired: bool) -> PhaseResult:
    findings = _with_output(context)
    limit = context.policy.limits.max_run_time_seconds
    if ended.timed_out:
        detail = f"limit {limit:g} s"
        return failed(findings, PhaseError(ErrorCode.INSTALLER_TIMEOUT, detail=detail))
    if ended.exit_code is not None:
        return _by_exit_code(context, findings, from_wait_status(ended.exit_code))
    if as_desired:
        return done(findings, "the command ended while the agent was away; its exit code is unknown, detection agrees")
    detail = "the command ended while the agent was away, its exit code is unknown, and detection does not agree"
    return failed(findings, PhaseError(ErrorCode.INSTALLER_INTERRUPTED, detail=detail))


def _by_exit_code(context: PhaseContext, findings: Findings, exit_code: int) -> PhaseResult:
    findings = findings.model_copy(update={"raw_exit_code": exit_code})
    kind = meaning(exit_code, context.policy.return_codes)
    if not is_success(kind):
        return failed(findings, failure(exit_code, kind))
    return done(findings, f"exit code {exit_code}: {kind.name.lower().replace('_', ' ')}")


def _with_output(context: PhaseContext) -> Findings:
    log = context.device.folders.installer_log(context.policy, context.ref)
    return context.findings.model_copy(update={"output_tail": tail(log, OUTPUT_TAIL_BYTES)})
