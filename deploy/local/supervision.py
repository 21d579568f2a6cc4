"""The process supervisor of a stack: started once, spoken to over a socket that only its owner can open."""

import shutil
import subprocess
import sys
import tempfile
import xmlrpc.client
from collections.abc import Collection, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from supervisor.xmlrpc import Faults, SupervisorTransport

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from deploy.local.files import write_private
from deploy.local.layout import StackLayout
from deploy.local.orphans import SUPERVISOR, has_ended
from deploy.local.part import PART_VARIABLE, Part, run_script
from deploy.local.polling import wait_until

#: A UNIX socket's path holds 104 to 108 bytes depending on the system; the supervisor appends its process id meanwhile.
_LONGEST_SOCKET_PATH = 90
_START_SECONDS = 15.0
_STOP_SECONDS = 60.0

# Paths are relative to the stack's folder, in which the supervisor runs; written out, a `%` or a quote would mean more.
_SUPERVISOR_CONFIGURATION = """\
[supervisord]
logfile = logs/supervisor.log
logfile_maxbytes = 1MB
logfile_backups = 1
pidfile = supervisor/supervisord.pid
childlogdir = supervisor
identifier = outrider
umask = 077
minfds = 256
minprocs = 1
nocleanup = true

[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[include]
files = parts/*.ini
"""

# A part that ends is started again, with a growing pause in between while it keeps ending within a second.
_PROGRAM = """\
[program:{name}]
command = /bin/sh supervisor/parts/{name}.sh
autostart = false
autorestart = true
startsecs = 1
startretries = 50
stopwaitsecs = {stop_seconds}
killasgroup = true
redirect_stderr = true
stdout_logfile = logs/{name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 1
"""


class ProcessState(BaseModel):
    """What the supervisor knows of a part.

    Attributes:
        name: The part.
        state: The supervisor's word for it, such as `RUNNING` or `BACKOFF`.
        pid: Its process; 0 where there is none.
        description: The supervisor's words for how long it runs or why it does not.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    state: str
    pid: int
    description: str

    @property
    def gave_up(self) -> bool:
        """Whether it ended right after it was started."""
        return self.state in {"BACKOFF", "FATAL", "EXITED"}


class Supervisor:
    """The supervisor of the stack at one layout."""

    def __init__(self, layout: StackLayout, *, environment: Mapping[str, str]) -> None:
        self._layout = layout
        self._environment = environment
        self._socket_note = layout.supervisor / "socket"

    def answers(self) -> bool:
        """Whether it runs and can be spoken to."""
        try:
            self._call("supervisor.getState")
        except OutriderError:
            return False
        return True

    def start(self) -> None:
        """Start it, detached from this process; the parts are added one by one.

        Raises:
            OutriderError: It did not start.
        """
        self.forget()
        shutil.rmtree(self._layout.supervisor, ignore_errors=True)
        socket = self._choose_socket()
        write_private(self._socket_note, str(socket))
        # Outside the stack's folder the path is the temporary folder's, which holds none of those letters.
        shown = socket.relative_to(self._layout.folder) if socket.is_relative_to(self._layout.folder) else socket
        write_private(self._layout.supervisor / "supervisord.conf", _SUPERVISOR_CONFIGURATION.format(socket=shown))
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", "supervisor/supervisord.conf"],
            cwd=self._layout.folder,
            env={**self._environment, PART_VARIABLE: SUPERVISOR},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not wait_until(self.answers, seconds=_START_SECONDS):
            raise OutriderError(ErrorCode.STACK_FAILED, place=SUPERVISOR, detail=done.stderr.strip())

    def add(self, part: Part) -> None:
        """Have a part run from now on; one of the same name is replaced if it differs."""
        script = self._layout.supervisor / "parts" / f"{part.name}.sh"
        text = run_script(part, folder=self._layout.part(part.name), inherited=self._environment)
        if script.exists() and script.read_text(encoding="utf-8") == text and self._is_known(part.name):
            self._call("supervisor.startProcess", part.name, False, forgiven=Faults.ALREADY_STARTED)
            return
        self.remove(part.name)
        self._layout.part(part.name).mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(script, text, executable=True)
        program = _PROGRAM.format(name=part.name, stop_seconds=int(part.stop_timeout.total_seconds()))
        write_private(script.with_suffix(".ini"), program)
        self._call("supervisor.reloadConfig")
        self._call("supervisor.addProcessGroup", part.name)
        self._call("supervisor.startProcess", part.name, False)

    def remove(self, name: str) -> None:
        """Stop a part and forget it; an unknown one is fine."""
        if not self._is_known(name):
            return
        self._stop([name])
        wait_until(lambda: self._removed(name), seconds=_STOP_SECONDS)
        for suffix in (".ini", ".sh"):
            (self._layout.supervisor / "parts" / name).with_suffix(suffix).unlink(missing_ok=True)

    def states(self) -> list[ProcessState]:
        """How each part fares."""
        rows = self._call("supervisor.getAllProcessInfo")
        return [
            ProcessState(name=row["name"], state=row["statename"], pid=row["pid"], description=row["description"])
            for row in rows
        ]

    def state(self, name: str) -> ProcessState:
        """How one part fares; a part it does not know is stopped."""
        known = {state.name: state for state in self.states()}
        return known.get(name) or ProcessState(
            name=name, state="STOPPED", pid=0, description="not a part of this stack"
        )

    def stop(self, *, last: Collection[str]) -> None:
        """Stop all parts and wait for their ends: first those that are not in `last`, then the rest.

        A part that does not end in its time is killed. One that cannot be spoken of is left to the caller's sweep.
        """
        names = [state.name for state in self.states()]
        self._stop([name for name in names if name not in last])
        self._stop([name for name in names if name in last])

    def _stop(self, names: Collection[str]) -> None:
        pids = [state.pid for state in self.states() if state.name in names and state.pid]
        for name in names:
            self._call("supervisor.stopProcess", name, False, forgiven=Faults.NOT_RUNNING)
        # Not by asking the supervisor: it looks after its children once a second only.
        wait_until(lambda: all(map(has_ended, pids)), seconds=_STOP_SECONDS)

    def forget(self) -> None:
        """Remove the socket's own folder outside the stack's, where there is one."""
        socket = self._socket()
        if socket is not None and not socket.is_relative_to(self._layout.folder):
            shutil.rmtree(socket.parent, ignore_errors=True)
        self._socket_note.unlink(missing_ok=True)

    def _choose_socket(self) -> Path:
        inside = self._layout.supervisor / "control.sock"
        if len(str(inside).encode()) <= _LONGEST_SOCKET_PATH:
            return inside
        return Path(tempfile.mkdtemp(prefix="outrider-")) / "control.sock"

    def _socket(self) -> Path | None:
        return Path(self._socket_note.read_text(encoding="utf-8")) if self._socket_note.exists() else None

    def _removed(self, name: str) -> bool:
        """Whether the supervisor has let go of a part; it does so once it has seen that its process ended."""
        return self._call("supervisor.removeProcessGroup", name, forgiven=Faults.STILL_RUNNING) is not None

    def _is_known(self, name: str) -> bool:
        return any(state.name == name for state in self.states())

    def _call(self, method: str, *arguments: Any, forgiven: int | None = None) -> Any:
        """Ask the supervisor.

        Raises:
            OutriderError: It does not answer, or refuses for another reason than `forgiven`.
        """
        socket = self._socket()
        if socket is None:
            raise OutriderError(ErrorCode.STACK_FAILED, place=SUPERVISOR, detail="it does not run")
        transport = SupervisorTransport(None, None, f"unix://{socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
            return getattr(proxy, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == forgiven:
                return None
            raise OutriderError(ErrorCode.STACK_FAILED, place=SUPERVISOR, detail=fault.faultString) from fault
        except (OSError, HTTPException, xmlrpc.client.Error) as error:
            raise OutriderError(ErrorCode.STACK_FAILED, place=SUPERVISOR, detail=str(error)) from error
        finally:
            transport.close()
