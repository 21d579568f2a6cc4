"""One agent in one state folder."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from contract.error_codes import ErrorCode
from contract.errors import InputError
from worker.folders import Folders


@contextmanager
def only_agent(folders: Folders) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process ends, however it ends.

    Raises:
        InputError: ALREADY_RUNNING: another process holds it.
    """
    lock = FileLock(folders.lock)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise InputError(ErrorCode.ALREADY_RUNNING, place=str(folders.state)) from error
    try:
        yield
    finally:
        lock.release()
