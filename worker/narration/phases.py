"""The steps that are the beginning or the end of a phase: said here, from what the engine knows of it.

Those in the middle of a phase are said where they happen.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from contract.phases import Phase
from contract.policy import Policy
from contract.report import PhaseOutcome, PhaseRecord
from contract.states import DetectionState
from worker.findings import Findings
from worker.narration.narrate import narrate
from worker.narration.steps import Step
from worker.phases.context import PhaseContext
from worker.rules.exit_codes import meaning


def about(findings: Findings) -> dict[str, str]:
    """What every event of an attempt carries, once it is known which app it is about."""
    return {"app": findings.app_name, "app_id": findings.app_id} if findings.app_id else {}


def begins(phase: Phase, context: PhaseContext) -> None:
    """Say what a phase begins with."""
    say = _BEGINNINGS.get(phase)
    if say is not None:
        say(context)


def ended(record: PhaseRecord, findings: Findings, context: PhaseContext) -> None:
    """Say what a phase ended with."""
    say = _ENDS.get(record.phase)
    if say is not None:
        say(record, findings, context)


def _metadata_begins(context: PhaseContext) -> None:
    narrate(Step.IDENTITY_CHOSEN, device_id=context.device.identity.device_id)
    narrate(Step.POLICY_REQUESTED, job_id=context.ref.job_id)


def _metadata_ended(_record: PhaseRecord, findings: Findings, context: PhaseContext) -> None:
    digest = findings.policy_digest
    policy = None if digest is None else context.device.ledger.policies.policy(digest)
    if policy is None:
        return
    narrate(Step.POLICY_RECEIVED, policy=policy.model_dump(mode="json"))
    narrate(
        Step.APP_IDENTIFIED,
        app=policy.app_name,
        app_id=policy.app_id,
        version=policy.app_version,
        revision=policy.revision,
        intent=policy.intent.value,
        intent_word=policy.intent.name.lower(),
    )
    narrate(Step.DEPENDENCIES_CHECKED, app_id=policy.app_id)


def _detect_ended(record: PhaseRecord, findings: Findings, _context: PhaseContext) -> None:
    narrate(Step.DETECTED, state=_word(findings.detection_state), found=record.summary)


def _applicability_ended(record: PhaseRecord, _findings: Findings, _context: PhaseContext) -> None:
    narrate(Step.APPLICABILITY_CHECKED, check="Applicability", found=record.summary)


def _requirements_ended(record: PhaseRecord, _findings: Findings, _context: PhaseContext) -> None:
    narrate(Step.APPLICABILITY_CHECKED, check="Extended requirement rules", found=record.summary)


def _download_begins(context: PhaseContext) -> None:
    level = context.policy.notifications
    narrate(Step.DOWNLOAD_BEGINS, app=context.policy.app_name, notifications=_word(level))


def _download_ended(record: PhaseRecord, _findings: Findings, _context: PhaseContext) -> None:
    narrate(
        Step.DOWNLOAD_JOB_ENDED,
        duration_seconds=record.duration_seconds,
        bytes=record.bytes_done,
        found=record.summary,
    )


def _unpack_begins(context: PhaseContext) -> None:
    narrate(Step.HASH_VERIFIED, path=str(context.device.folders.incoming_file(context.policy)))


def _unpack_ended(record: PhaseRecord, _findings: Findings, context: PhaseContext) -> None:
    narrate(Step.STAGING_CLEANED, staging=str(context.device.folders.staging), found=record.summary)


def _install_ended(record: PhaseRecord, findings: Findings, context: PhaseContext) -> None:
    if record.outcome is PhaseOutcome.SETTLED or context.device.ledger.installs.run(context.ref) is None:
        # No command was run, or it could not even be started.
        return
    exit_code, behavior = findings.raw_exit_code, context.policy.install_experience.device_restart_behavior
    narrate(Step.INSTALLER_ENDED, duration_seconds=record.duration_seconds, found=record.summary)
    narrate(Step.EXIT_CODE_JUDGED, exit_code=exit_code, meaning=_meaning(exit_code, context.policy))
    narrate(Step.RESTART_BEHAVIOR_CHECKED, behavior=behavior.value, behavior_word=_word(behavior))


def _confirm_begins(_context: PhaseContext) -> None:
    narrate(Step.DETECTION_REPEATED)


def _confirm_ended(record: PhaseRecord, findings: Findings, _context: PhaseContext) -> None:
    detected = findings.detection_state is DetectionState.DETECTED
    narrate(Step.DETECTED_AFTERWARDS, found=record.summary, detected=detected)


def _report_begins(context: PhaseContext) -> None:
    narrate(Step.REPORTING, app=context.findings.app_name or context.ref.job_id)


def _report_ended(record: PhaseRecord, _findings: Findings, _context: PhaseContext) -> None:
    narrate(Step.REPORTED, found=record.summary)


def _meaning(exit_code: int | None, policy: Policy) -> str:
    return "nobody saw it" if exit_code is None else _word(meaning(exit_code, policy.return_codes))


def _word(member: Any) -> str:
    return str(member.name).lower().replace("_", " ")


_BEGINNINGS: Final[Mapping[Phase, Callable[[PhaseContext], None]]] = {
    Phase.METADATA: _metadata_begins,
    Phase.DOWNLOAD: _download_begins,
    Phase.UNPACK: _unpack_begins,
    Phase.CONFIRM: _confirm_begins,
    Phase.REPORT: _report_begins,
}

_ENDS: Final[Mapping[Phase, Callable[[PhaseRecord, Findings, PhaseContext], None]]] = {
    Phase.METADATA: _metadata_ended,
    Phase.DETECT: _detect_ended,
    Phase.APPLICABILITY: _applicability_ended,
    Phase.REQUIREMENTS: _requirements_ended,
    Phase.DOWNLOAD: _download_ended,
    Phase.UNPACK: _unpack_ended,
    Phase.INSTALL: _install_ended,
    Phase.CONFIRM: _confirm_ended,
    Phase.REPORT: _report_ended,
}
