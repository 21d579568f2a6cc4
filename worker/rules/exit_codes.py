"""What an installer's exit code means (behaviour 2.7)."""

import os
import signal
from collections.abc import Iterable

from contract.error_codes import ErrorCode, hresult_from_exit_code, installer_error
from contract.errors import PhaseError
from contract.policy import ReturnCode
from contract.states import ReturnCodeType

_SUCCESSES = frozenset({ReturnCodeType.SUCCESS, ReturnCodeType.SOFT_REBOOT, ReturnCodeType.HARD_REBOOT})
#: What a shell shows for a process ended by signal n is 128 + n.
_SIGNAL_BASE = 128


def meaning(exit_code: int, return_codes: Iterable[ReturnCode]) -> ReturnCodeType:
    """The class of an exit code: the policy's own entry, else failed unless it is 0."""
    for entry in return_codes:
        if entry.return_code == exit_code:
            return entry.type
    return ReturnCodeType.SUCCESS if exit_code == 0 else ReturnCodeType.FAILED


def is_success(kind: ReturnCodeType) -> bool:
    """Whether the class says that the command did its work, a restart pending or not."""
    return kind in _SUCCESSES


def failure(exit_code: int, kind: ReturnCodeType, *, has_signals: bool = os.name == "posix") -> PhaseError:
    """The error of an exit code whose class is not success.

    Args:
        exit_code: The code.
        kind: Its class.
        has_signals: Whether programs can be ended by signals where it comes from; 137 is just a number on Windows.
    """
    if kind is ReturnCodeType.RETRY:
        detail = f"exit code {exit_code} means: try again later"
        return PhaseError(ErrorCode.INSTALLER_BUSY, detail=detail, raw_exit_code=exit_code)
    number = hresult_from_exit_code(exit_code)
    detail = f"exit code {exit_code} (0x{number:08X}){_signal_words(exit_code) if has_signals else ''}"
    return PhaseError(installer_error(exit_code), detail=detail, number=number, raw_exit_code=exit_code)


def from_wait_status(returncode: int) -> int:
    """The exit code as shells and people give it: a process ended by signal n has 128 + n."""
    return _SIGNAL_BASE - returncode if returncode < 0 else returncode


def _signal_words(exit_code: int) -> str:
    number = exit_code - _SIGNAL_BASE
    if number not in set(signal.Signals):
        return ""
    return f"; 128 + {number}: it may have been ended by {signal.Signals(number).name}"
