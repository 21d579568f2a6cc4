import sys

import pytest

from contract.error_codes import ErrorCode
from contract.policy import DEFAULT_RETURN_CODES, ReturnCode
from contract.states import ReturnCodeType
from worker.rules.exit_codes import failure, from_wait_status, is_success, meaning


@pytest.mark.parametrize(
    ("exit_code", "kind"),
    [
        (0, ReturnCodeType.SUCCESS),
        (1707, ReturnCodeType.SUCCESS),
        (3010, ReturnCodeType.SOFT_REBOOT),
        (1641, ReturnCodeType.HARD_REBOOT),
        (1618, ReturnCodeType.RETRY),
        (1, ReturnCodeType.FAILED),
        (-1, ReturnCodeType.FAILED),
        (60001, ReturnCodeType.FAILED),
    ],
)
def test_the_default_map(exit_code: int, kind: ReturnCodeType) -> None:
    assert meaning(exit_code, DEFAULT_RETURN_CODES) is kind


def test_the_policys_own_entry_decides_also_for_zero() -> None:
    codes = (
        ReturnCode(return_code=0, type=ReturnCodeType.FAILED),
        ReturnCode(return_code=7, type=ReturnCodeType.SUCCESS),
    )
    assert meaning(0, codes) is ReturnCodeType.FAILED
    assert meaning(7, codes) is ReturnCodeType.SUCCESS


def test_zero_is_success_where_the_policy_names_no_codes() -> None:
    assert meaning(0, ()) is ReturnCodeType.SUCCESS


def test_a_pending_restart_counts_as_success() -> None:
    assert [kind for kind in ReturnCodeType if is_success(kind)] == [
        ReturnCodeType.SUCCESS,
        ReturnCodeType.SOFT_REBOOT,
        ReturnCodeType.HARD_REBOOT,
    ]


@pytest.mark.parametrize(
    ("exit_code", "code", "number"),
    [
        (1, ErrorCode.INSTALLER_INCORRECT_FUNCTION, 0x80070001),
        (4, ErrorCode.INSTALLER_EXIT_4, 0x80070004),
        (60001, ErrorCode.INSTALLER_SCRIPT_ERROR, 0x8007EA61),
        (73, ErrorCode.INSTALLER_FAILED, 0x80070049),
    ],
)
def test_an_unmapped_code_becomes_its_hresult_with_the_raw_code_beside_it(
    exit_code: int, code: ErrorCode, number: int
) -> None:
    error = failure(exit_code, ReturnCodeType.FAILED)
    assert (error.code, error.number, error.raw_exit_code) == (code, number, exit_code)


def test_retry_has_a_code_of_its_own() -> None:
    error = failure(1618, ReturnCodeType.RETRY)
    assert error.code is ErrorCode.INSTALLER_BUSY
    assert error.raw_exit_code == 1618


def test_a_process_ended_by_a_signal_has_the_number_a_shell_shows() -> None:
    assert from_wait_status(-9) == 137
    assert "SIGKILL" in failure(137, ReturnCodeType.FAILED, has_signals=True).detail
    assert from_wait_status(5) == 5


@pytest.mark.parametrize("exit_code", [130, 137, 143])
def test_where_there_are_no_signals_a_code_above_128_is_just_a_number(exit_code: int) -> None:
    assert "128" not in failure(exit_code, ReturnCodeType.FAILED, has_signals=False).detail
    assert ("128" in failure(exit_code, ReturnCodeType.FAILED).detail) is (sys.platform != "win32")
