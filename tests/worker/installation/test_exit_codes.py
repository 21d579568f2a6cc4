"""All 2^32 exit codes: what they mean, what they are reported as, and that detection has its say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import signed
from contract.policy import DEFAULT_RETURN_CODES, Commands, ReturnCode
from contract.states import ComplianceState, EnforcementState, Outcome, ReturnCodeType
from tests.worker.rig import Rig
from worker.rules.exit_codes import failure, from_wait_status, is_success, meaning

_CODES = st.integers(0, 2**32 - 1)
_DEFAULTS = {code.return_code: code.type for code in DEFAULT_RETURN_CODES}


@pytest.mark.behaviour("2.7 default map", "2.7 unmapped", "B-53")
@given(_CODES)
def test_every_code_is_of_the_default_class_or_a_failure_with_its_hresult(exit_code: int) -> None:
    kind = meaning(exit_code, DEFAULT_RETURN_CODES)
    assert kind is _DEFAULTS.get(exit_code, ReturnCodeType.FAILED)
    if kind is ReturnCodeType.FAILED:
        error = failure(exit_code, kind)
        assert error.number == 0x80070000 | (exit_code & 0xFFFF)
        assert error.raw_exit_code == exit_code
        assert signed(error.number) < 0
        assert f"{exit_code} (0x" in error.detail


@pytest.mark.behaviour("2.7 custom map", "2.5 ReturnCodeType")
@given(_CODES, st.dictionaries(_CODES, st.sampled_from(ReturnCodeType), max_size=5))
def test_a_policys_own_codes_decide_and_all_others_fail_but_zero(
    exit_code: int, own: dict[int, ReturnCodeType]
) -> None:
    codes = [ReturnCode(return_code=code, type=kind) for code, kind in own.items()]
    otherwise = ReturnCodeType.SUCCESS if exit_code == 0 else ReturnCodeType.FAILED
    kind = meaning(exit_code, codes)
    assert kind is own.get(exit_code, otherwise)
    if not is_success(kind):
        assert failure(exit_code, kind).raw_exit_code == exit_code


@given(st.integers(1, 64))
def test_a_signal_is_the_code_a_shell_shows(number: int) -> None:
    assert from_wait_status(-number) == 128 + number


def _report_of(rig: Rig, exit_code: int, *, installs: bool, **changes: Any) -> Any:
    body = f"sh install.sh; exit {exit_code}" if installs else f"exit {exit_code}"
    rig.run(rig.new_job(commands=Commands(install=f"sh -c '{body}'", uninstall="true"), **changes))
    return rig.uplink.reports[-1]


@pytest.mark.behaviour("B-53", "B-55", "C-11", "2.7 exit success and not detected")
@pytest.mark.parametrize("kind", [ReturnCodeType.SUCCESS, ReturnCodeType.SOFT_REBOOT, ReturnCodeType.HARD_REBOOT])
@pytest.mark.parametrize("installs", [True, False])
def test_success_needs_exit_code_and_detection(rig: Rig, kind: ReturnCodeType, installs: bool) -> None:
    report = _report_of(rig, 9, installs=installs, return_codes=(ReturnCode(return_code=9, type=kind),))
    assert report.raw_exit_code == 9
    if installs:
        assert report.outcome is Outcome.INSTALLED
        assert report.compliance_state is ComplianceState.INSTALLED
        return
    assert (report.outcome, report.enforcement_state) == (Outcome.FAILED, EnforcementState.ERROR)
    assert report.error.number == 0x87D1041C


@pytest.mark.behaviour("C-11")
def test_detection_does_not_make_up_for_a_failing_exit_code(rig: Rig) -> None:
    report = _report_of(rig, 73, installs=True)
    assert report.outcome is Outcome.FAILED
    assert report.error.number == 0x80070049


@pytest.mark.behaviour("2.7 retry", "B-56")
def test_retry_is_a_failure_that_is_tried_again(rig: Rig) -> None:
    codes = (ReturnCode(return_code=82, type=ReturnCodeType.RETRY),)
    report = _report_of(rig, 82, installs=False, return_codes=codes)
    assert report.error.code == "installer-busy"
    assert report.raw_exit_code == 82
    assert report.next_action is not None
