import pytest

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, PhaseError, TrustError, UnavailableError
from contract.phases import Phase
from contract.policy import FailureClass
from worker.rules.failures import error_report, failure_class


def test_silence_of_the_control_plane_is_named_after_what_was_asked_for() -> None:
    silence = UnavailableError(ErrorCode.API_UNAVAILABLE, detail="refused")
    assert error_report(silence, Phase.METADATA).code == "policy-unavailable"
    assert error_report(silence, Phase.DOWNLOAD).number == ErrorCode.CONTENT_INFO_FAILED.number


def test_the_number_of_a_phase_error_and_the_raw_code_are_kept() -> None:
    error = PhaseError(ErrorCode.INSTALLER_FAILED, number=0x80070049, raw_exit_code=73, detail="exit code 73")
    report = error_report(error, Phase.INSTALL)
    assert (report.number, report.raw_exit_code, report.detail) == (0x80070049, 73, "exit code 73")


def test_an_error_without_a_number_has_the_agents_own() -> None:
    report = error_report(DocumentError(ErrorCode.DOCUMENT_INVALID, place="Policy"), Phase.METADATA)
    assert report.code == "document-invalid"
    assert report.number == ErrorCode.CLIENT_ERROR.number
    assert report.detail == "Policy"


def test_a_broken_trust_keeps_its_own_code() -> None:
    report = error_report(TrustError(ErrorCode.POLICY_UNTRUSTED), Phase.METADATA)
    assert (report.code, report.number) == ("policy-untrusted", ErrorCode.POLICY_UNTRUSTED.number)


@pytest.mark.parametrize(
    ("code", "phase", "expected"),
    [
        (ErrorCode.POLICY_UNAVAILABLE, Phase.METADATA, FailureClass.CONTROL_PLANE),
        (ErrorCode.RULE_EVALUATION_FAILED, Phase.DETECT, FailureClass.RULES),
        (ErrorCode.RULE_EVALUATION_FAILED, Phase.CONFIRM, FailureClass.RULES),
        (ErrorCode.CONTENT_CORRUPT, Phase.DOWNLOAD, FailureClass.CONTENT),
        (ErrorCode.CONTENT_VANISHED, Phase.INSTALL, FailureClass.CONTENT),
        (ErrorCode.INSTALLER_INTERRUPTED, Phase.INSTALL, FailureClass.INTERRUPTED),
        (ErrorCode.INSTALLER_TIMEOUT, Phase.INSTALL, FailureClass.INSTALLER),
        (ErrorCode.NOT_DETECTED_AFTER_INSTALL, Phase.CONFIRM, FailureClass.INSTALLER),
    ],
)
def test_a_failure_is_of_the_class_its_code_or_its_phase_says(
    code: ErrorCode, phase: Phase, expected: FailureClass
) -> None:
    assert failure_class(error_report(PhaseError(code), phase)) is expected


def test_a_failure_without_an_error_is_the_installers() -> None:
    assert failure_class(None) is FailureClass.INSTALLER
