"""Windows' job objects: a program and all it starts, however far they go, ended as one."""

import sys
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import psutil
import pywintypes
import win32api
import win32con
import win32job

assert sys.platform == "win32"

#: What processes that are ended with their job end with.
_ENDED_EXIT_CODE: Final = 1
_ACCESS = win32con.PROCESS_SET_QUOTA | win32con.PROCESS_TERMINATE

#: The jobs this agent made. Whoever forgets a process lets go of its job; what runs in it runs on.
_jobs: WeakKeyDictionary[psutil.Process, int] = WeakKeyDictionary()


def contain(process: psutil.Process) -> None:
    """Put a suspended process into a job of its own, and let it run.

    Installers that ask to leave the job may: without that they would not start what they want to start.

    Raises:
        OSError: The system refused; the process has not run.
    """
    try:
        # The stubs forget that it returns a handle.
        job: int = cast("Any", win32job).CreateJobObject(None, "")
        limits = win32job.QueryInformationJobObject(job, win32job.JobObjectExtendedLimitInformation)
        limits["BasicLimitInformation"]["LimitFlags"] |= win32job.JOB_OBJECT_LIMIT_BREAKAWAY_OK
        win32job.SetInformationJobObject(job, win32job.JobObjectExtendedLimitInformation, limits)
        win32job.AssignProcessToJobObject(job, win32api.OpenProcess(_ACCESS, False, process.pid))
    except pywintypes.error as error:
        process.kill()
        raise OSError(None, error.strerror, None, error.winerror) from error
    _jobs[process] = job
    process.resume()


def end_job(process: psutil.Process) -> None:
    """End everything in a process's job; nothing where an earlier agent started the process."""
    job = _jobs.pop(process, None)
    if job is not None:
        win32job.TerminateJobObject(job, _ENDED_EXIT_CODE)
