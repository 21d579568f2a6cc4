"""What dpkg and rpm have installed."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator

from contract.rules import PackageManager
from worker.platform.port import PackageFacts
from worker.processes.launch import forking

#: Longer than this the database is locked or broken.
_LIMIT_SECONDS = 60.0

_QUERIES = {
    PackageManager.DPKG: ("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}\\n"),
    PackageManager.RPM: ("rpm", "--query", "--queryformat=installed %{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n"),
}
_INSTALLED = "installed"
#: What both answer with where nothing is found; anything else is a failure.
_NOT_FOUND = 1
_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def available_managers(wanted: PackageManager) -> tuple[PackageManager, ...]:
    """Which of the wanted managers this machine has."""
    managers = tuple(_QUERIES) if wanted is PackageManager.ANY else (wanted,)
    return tuple(manager for manager in managers if _program(manager))


def installed_packages(name: str, managers: Iterable[PackageManager]) -> tuple[PackageFacts, ...]:
    """What the managers have installed under a name; what was removed and left its settings behind does not count.

    Raises:
        OSError: A manager could not be asked or did not answer as it should.
    """
    return tuple(PackageFacts(manager, version) for manager in managers for version in _versions(name, manager))


def _versions(name: str, manager: PackageManager) -> Iterator[str]:
    for line in _ask([*_QUERIES[manager], name]).splitlines():
        status, _, version = line.partition(" ")
        if status == _INSTALLED:
            yield version


def _ask(command: list[str]) -> str:
    with _start(command) as process:
        try:
            output, said = process.communicate(timeout=_LIMIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise TimeoutError(f"{command[0]} did not answer within {_LIMIT_SECONDS:g} s") from error
    errors = said.decode(errors="replace").strip()
    # rpm says that a package is missing on its standard output, with the same status as a database it cannot open.
    if process.returncode not in {0, _NOT_FOUND} or "error:" in errors:
        raise OSError(f"{command[0]} ended with {process.returncode}: {errors}")
    return output.decode(errors="replace")


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    with forking():
        return subprocess.Popen(
            command, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


def _program(manager: PackageManager) -> str | None:
    return shutil.which(_QUERIES[manager][0], path=_ENVIRONMENT["PATH"])
