"""A policy's command line, as program, arguments and environment."""

import shlex
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.jobs import JobRef
from contract.policy import Policy
from contract.states import Intent
from worker.installation.windows_line import with_program_from
from worker.processes.mark import MARK

_EXECUTABLE = stat.S_IXUSR


def command_line(policy: Policy) -> str:
    """The command that brings the policy's intent about."""
    return policy.commands.uninstall if policy.intent is Intent.UNINSTALL else policy.commands.install


def split(line: str, folder: Path) -> Sequence[str] | str:
    """Program and arguments; on Windows the line as typed, because programs there split it themselves.

    A program that lies in the content is taken from there and made executable: packages built on Windows carry no
    permissions.

    Raises:
        PhaseError: INSTALLER_NOT_STARTED: a quote is not closed, or the line is empty.
    """
    if sys.platform == "win32":
        return with_program_from(folder, line)
    try:
        program, *arguments = shlex.split(line)
    except ValueError as error:
        raise not_started(str(error), line) from error
    inside = folder / program
    if inside.is_file() and inside.resolve().is_relative_to(folder.resolve()):
        inside.chmod(inside.stat().st_mode | _EXECUTABLE)
        program = str(inside)
    return [program, *arguments]


def not_started(reason: str, line: str) -> PhaseError:
    """The error of a command that could not be started."""
    return PhaseError(ErrorCode.INSTALLER_NOT_STARTED, detail=reason, place=line)


def mark(ref: JobRef) -> str:
    """What marks an attempt's installer and all it starts."""
    return f"{ref.job_id}/{ref.generation}/{ref.attempt}"


def variables(policy: Policy, ref: JobRef) -> dict[str, str]:
    """What an installer may know of why it runs."""
    return {
        MARK: mark(ref),
        "OUTRIDER_JOB_ID": ref.job_id,
        "OUTRIDER_ATTEMPT": str(ref.attempt),
        "OUTRIDER_INTENT": policy.intent.name.lower(),
        "OUTRIDER_APP_ID": policy.app_id,
        "OUTRIDER_APP_NAME": policy.app_name,
        "OUTRIDER_APP_VERSION": policy.app_version,
        "OUTRIDER_REVISION": str(policy.revision),
    }
