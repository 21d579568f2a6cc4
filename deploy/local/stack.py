"""The local stack: all of Outrider on one machine, in one folder."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from deploy.local.addresses import StackAddresses
from deploy.local.control_parts import control_environment, program
from deploy.local.layout import StackLayout
from deploy.local.orphans import end_processes
from deploy.local.outside import OutsideParts
from deploy.local.part import STACK_VARIABLE, Part
from deploy.local.plan import FOUNDATIONS, StackPlan, StandardPart, choose_ports
from deploy.local.polling import wait_until
from deploy.local.ports import is_free
from deploy.local.readiness import is_ready, last_life
from deploy.local.secret_values import StackSecrets
from deploy.local.supervision import ProcessState, Supervisor

#: The caller's variables that every part may see; all others stay outside.
_INHERITED = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE", "COVERAGE_PROCESS_START")
#: How often another port is tried when somebody else took the chosen one first.
_PORT_TRIES = 5
_INIT_SECONDS = 120
#: How much of a log an error shows.
_LOG_LINES = 25


class LocalStack:
    """One stack in one folder.

    Commands that change a stack exclude each other; everything it writes lies below its folder. A part that dies is
    started again. Nothing here keeps running: the stack lives on when the caller ends, until `down`.
    """

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self.layout = StackLayout.at(folder)
        self._supervisor = Supervisor(self.layout, environment=self._shared_environment())

    @property
    def addresses(self) -> StackAddresses:
        """Where everything answers.

        Raises:
            OutriderError: The stack was never started.
        """
        found = StackAddresses.load(self.layout.addresses)
        if found is None:
            raise OutriderError(ErrorCode.STACK_FAILED, place=str(self.layout.folder), detail="it was never started")
        return found

    def up(self, *names: StandardPart) -> StackAddresses:
        """Start the named parts, all of them by default, each once the ones before it are ready.

        On a stack that already runs it starts what is missing. What an earlier life left behind is ended first.

        Raises:
            OutriderError: A part did not start (with the end of its log), or another command works on this stack.
            InputError: The folder or the caller's environment does not suit.
        """
        with self._alone():
            plan = self._begin()
            for name in names or tuple(StandardPart):
                if plan.embedded(name):
                    if name.is_control:
                        self._initialize(plan.addresses)
                    plan = self._start_standard(plan, name)
            return plan.addresses

    def add(self, part: Part) -> None:
        """Start one more part and wait until it is ready; one of the same name is replaced if it differs.

        Raises:
            OutriderError: It did not start, or the stack does not run.
        """
        with self._alone():
            self._start(part)

    def remove(self, name: str) -> None:
        """Stop a part and forget it; its folder and its log stay."""
        with self._alone():
            self._supervisor.remove(name)

    def down(self) -> None:
        """End every process of the stack, also those of an earlier life; its data stays. Again is fine."""
        if not self.layout.folder.exists():
            return
        with self._alone():
            if self._supervisor.answers():
                self._supervisor.stop(last=FOUNDATIONS)
            end_processes(self.layout.folder)
            self._supervisor.forget()

    def status(self) -> list[ProcessState]:
        """How each part fares; empty where the stack does not run."""
        return self._supervisor.states() if self._supervisor.answers() else []

    def wait_ready(self, part: Part) -> None:
        """Wait until a part that runs, or is just being started again, can be used.

        Raises:
            OutriderError: It was not ready in time, or ends as soon as it is started.
        """
        limit = part.start_timeout.total_seconds()
        if not wait_until(lambda: self._settled(part), seconds=limit):
            raise self._failure(part.name, f"not ready after {limit:g} s")
        if self._supervisor.state(part.name).gave_up:
            raise self._failure(part.name, "it ended as soon as it was started")

    def part(self, name: StandardPart) -> Part:
        """A standard part as it runs under the addresses in force."""
        return self._plan(self.addresses.ports).part(name)

    def part_log(self, name: str) -> str:
        """What a part has written since it was last started."""
        return last_life(self.layout.log(name))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(self.layout.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise OutriderError(ErrorCode.STACK_BUSY, place=str(self.layout.folder)) from error
        try:
            yield
        finally:
            lock.release()

    def _begin(self) -> StackPlan:
        """Settle the addresses and have a supervisor, this stack's living one or a new one."""
        runs = self._supervisor.answers()
        if not runs:
            end_processes(self.layout.folder)
        for folder in (self.layout.logs, self.layout.temporary, self.layout.control_state):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        earlier = StackAddresses.load(self.layout.addresses)
        plan = self._plan(choose_ports(earlier.ports if earlier else {}, keep=runs))
        plan.addresses.save(self.layout.addresses)
        if not runs:
            self._supervisor.start()
        return plan

    def _plan(self, ports: Mapping[str, int]) -> StackPlan:
        outside = OutsideParts.from_environment(self._environment)
        secrets = StackSecrets.load_or_make(self.layout.secrets)
        return StackPlan(layout=self.layout, outside=outside, secrets=secrets, ports=ports)

    def _start_standard(self, plan: StackPlan, name: StandardPart) -> StackPlan:
        """Start a part of the plan; if somebody took its port meanwhile, on another one."""
        for _ in range(_PORT_TRIES):
            try:
                self._start(plan.part(name))
            except OutriderError:
                self._supervisor.remove(name.value)
                if not name.listens or is_free(plan.ports[name]):
                    raise
                plan = plan.with_new_port(name)
                plan.addresses.save(self.layout.addresses)
            else:
                return plan
        raise self._failure(name, f"each of {_PORT_TRIES} ports was taken by another program")

    def _start(self, part: Part) -> None:
        self._supervisor.add(part)
        self.wait_ready(part)

    def _settled(self, part: Part) -> bool:
        """Whether the part is ready, or has shown that it will not be."""
        state = self._supervisor.state(part.name)
        if state.gave_up:
            return True
        try:
            process = psutil.Process(state.pid) if state.pid else None
        except psutil.NoSuchProcess:
            return False
        return process is not None and is_ready(part.ready, process, self.layout.log(part.name))

    def _failure(self, name: str, what: str) -> OutriderError:
        lines = self.part_log(name).splitlines()[-_LOG_LINES:]
        return OutriderError(ErrorCode.STACK_FAILED, place=name, detail="\n".join([what, *lines]))

    def _initialize(self, addresses: StackAddresses) -> None:
        """Prepare database, keys and bucket for the control plane; doing it again changes nothing."""
        environment = {**self._shared_environment(), **control_environment(self.layout, addresses)}
        log = self.layout.log("init")
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                [program("outrider-control"), "init"],
                env={**environment, "HOME": str(self.layout.control_state)},
                cwd=self.layout.control_state,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_INIT_SECONDS,
                check=False,
            )
        if done.returncode:
            raise self._failure("init", f"`outrider-control init` ended with {done.returncode}")

    def _shared_environment(self) -> dict[str, str]:
        """What all processes of the stack see: little, and the stack's own name."""
        path = os.pathsep.join([str(Path(sys.executable).parent), self._environment.get("PATH", os.defpath)])
        inherited = {name: self._environment[name] for name in _INHERITED if name in self._environment}
        return {
            **inherited,
            "PATH": path,
            "TMPDIR": str(self.layout.temporary),
            "PYTHONUNBUFFERED": "1",
            STACK_VARIABLE: str(self.layout.folder),
        }
