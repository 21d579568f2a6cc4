"""The error table of behaviour 1.9, settled by 1.12."""

import pytest

from contract.error_codes import OWN_CODES, ErrorCode, hresult_from_exit_code, installer_error, signed
from contract.errors import InputError, PhaseError, TrustError, UnavailableError
from contract.phases import Phase

NUMBERED = [code for code in ErrorCode if code.number is not None]


@pytest.mark.parametrize(
    ("number", "signed_number", "code"),
    [
        (0x87D30065, -2016214939, ErrorCode.CONTENT_INFO_FAILED),
        (0x87D30067, -2016214937, ErrorCode.UNZIP_FAILED),
        (0x87D30068, -2016214936, ErrorCode.DOWNLOAD_FAILED),
        (0x87D3006A, -2016214934, ErrorCode.DOWNLOAD_TIMEOUT),
        (0x87D1041C, -2016345060, ErrorCode.NOT_DETECTED_AFTER_INSTALL),
        (0x87D30000, -2016215040, ErrorCode.RULE_EVALUATION_FAILED),
        (0x87D300C9, -2016214839, ErrorCode.UNMONITORED_PROCESS),
        (0x87D300CA, -2016214838, ErrorCode.CLIENT_ERROR),
        (0x87D300CD, -2016214835, ErrorCode.USER_LOGGED_OFF),
        (0x80070001, -2147024895, ErrorCode.INSTALLER_INCORRECT_FUNCTION),
        (0x80070002, -2147024894, ErrorCode.INSTALLER_FILE_NOT_FOUND),
        (0x80070004, -2147024892, ErrorCode.INSTALLER_EXIT_4),
        (0x80070005, -2147024891, ErrorCode.INSTALLER_ACCESS_DENIED),
        (0x8007013A, -2147024582, ErrorCode.DISK_EXHAUSTED),
        (0x8007026B, -2147024277, ErrorCode.INSTALLER_EXIT_619),
        (0x8007EA61, -2146964895, ErrorCode.INSTALLER_SCRIPT_ERROR),
        (0x8007EA68, -2146964888, ErrorCode.INSTALLER_SCRIPT_NOT_LOADED),
    ],
)
def test_a_known_code_is_found_signed_and_unsigned(number: int, signed_number: int, code: ErrorCode) -> None:
    assert signed(number) == signed_number
    assert ErrorCode.from_number(number) is code
    assert ErrorCode.from_number(signed_number) is code


def test_the_nine_digit_misprint_is_understood_on_input() -> None:
    assert ErrorCode.from_number(0x87D33006A) is ErrorCode.DOWNLOAD_TIMEOUT


def test_an_unknown_number_is_no_error_of_ours() -> None:
    assert ErrorCode.from_number(0x12345678) is None


def test_one_number_has_one_meaning() -> None:
    numbers = [code.number for code in NUMBERED]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("code", list(ErrorCode), ids=lambda code: code.slug)
def test_every_error_says_what_happened_and_what_to_do(code: ErrorCode) -> None:
    assert code.sentence.endswith(".")
    assert code.hint.endswith(".")
    assert ErrorCode.from_slug(code.slug) is code


@pytest.mark.parametrize("code", NUMBERED, ids=lambda code: code.slug)
def test_own_numbers_never_collide_with_the_originals(code: ErrorCode) -> None:
    assert code.number is not None
    assert (code.number >> 12 == OWN_CODES >> 12) == (code.number >= OWN_CODES and code.number < OWN_CODES + 0x1000)


@pytest.mark.parametrize(
    ("exit_code", "hresult"),
    [(4, 0x80070004), (60001, 0x8007EA61), (60008, 0x8007EA68), (73, 0x80070049), (-9, 0x8007FFF7)],
)
def test_an_exit_code_becomes_an_hresult(exit_code: int, hresult: int) -> None:
    assert hresult_from_exit_code(exit_code) == hresult


def test_an_exit_code_with_a_row_of_its_own_is_explained_by_it() -> None:
    assert installer_error(5) is ErrorCode.INSTALLER_ACCESS_DENIED
    assert installer_error(73) is ErrorCode.INSTALLER_FAILED


def test_an_exit_code_never_borrows_the_row_of_another_phase() -> None:
    assert hresult_from_exit_code(0x13A) == ErrorCode.DISK_EXHAUSTED.number
    assert installer_error(0x13A) is ErrorCode.INSTALLER_FAILED


def test_an_error_reads_as_one_line_with_place_and_facts() -> None:
    error = InputError(ErrorCode.UNKNOWN_GROUP, detail="known groups: a, b", place="--group c")
    assert str(error) == "There is no such group. [--group c] known groups: a, b"


def test_a_phase_error_reports_the_exact_number_where_it_has_one() -> None:
    error = PhaseError(ErrorCode.INSTALLER_FAILED, number=0x80070049, raw_exit_code=73)
    assert (error.number, error.raw_exit_code) == (0x80070049, 73)
    assert PhaseError(ErrorCode.UNZIP_FAILED).number == 0x87D30067


def test_exit_statuses_tell_wrong_input_from_refusal_and_from_later_may_work() -> None:
    assert [kind.exit_status for kind in (InputError, TrustError, UnavailableError)] == [2, 4, 3]


def test_each_code_belongs_to_at_most_one_phase() -> None:
    assert ErrorCode.UNZIP_FAILED.phase is Phase.UNPACK
    assert ErrorCode.NOT_DETECTED_AFTER_INSTALL.phase is Phase.CONFIRM
