"""The local stack: all of Outrider on one machine, in one folder."""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
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

        On a stack that already runs it starts what is missing. What an earlier life left behind is ended first. A new
        stack of which a part does not start is ended as a whole; the logs stay.

        Raises:
            OutriderError: A part did not start (with the end of its log), or another command works on this stack.
            InputError: The folder or the caller's environment does not suit.
        """
        wanted = names or tuple(StandardPart)
        with self._alone():
            was_running = self._supervisor.answers()
            try:
                return self._bring_up(wanted, was_running=was_running)
            except BaseException:
                if not was_running:
                    self._end()
                raise

    def add(self, *parts: Part) -> None:
        """Start more parts side by side and wait until they are ready; one of the same name is replaced if it differs.

        Raises:
            OutriderError: One did not start, or the stack does not run.
        """
        with self._alone():
            for part in parts:
                self._supervisor.add(part)
            for part in parts:
                self._await(part)

    def remove(self, name: str) -> None:
        """Stop a part and forget it; its folder and its log stay."""
        with self._alone():
            self._supervisor.remove(name)

    def down(self) -> None:
        """End every process of the stack, also those of an earlier life; its data stays. Again is fine."""
        if not self.layout.folder.exists():
            return
        with self._alone():
            self._end()

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

    def _bring_up(self, wanted: Collection[StandardPart], *, was_running: bool) -> StackAddresses:
        """Start what the others rest on, prepare the control plane, then start the others side by side."""
        plan = self._begin(was_running=was_running)
        embedded = [name for name in StandardPart if name in wanted and plan.embedded(name)]
        plan = self._start_together(plan, [name for name in embedded if name in FOUNDATIONS])
        if any(name.is_control for name in embedded):
            self._initialize(plan.addresses)
        plan = self._start_together(plan, [name for name in embedded if name not in FOUNDATIONS])
        return plan.addresses

    def _begin(self, *, was_running: bool) -> StackPlan:
        """Settle the addresses and have a supervisor, this stack's living one or a new one."""
        if not was_running:
            end_processes(self.layout.folder)
        for folder in (self.layout.logs, self.layout.temporary, self.layout.control_state):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        earlier = StackAddresses.load(self.layout.addresses)
        plan = self._plan(choose_ports(earlier.ports if earlier else {}, keep=was_running))
        plan.addresses.save(self.layout.addresses)
        if not was_running:
            self._supervisor.start()
        return plan

    def _end(self) -> None:
        if self._supervisor.answers():
            self._supervisor.stop(last=FOUNDATIONS)
        end_processes(self.layout.folder)
        self._supervisor.forget()

    def _plan(self, ports: Mapping[str, int]) -> StackPlan:
        outside = OutsideParts.from_environment(self._environment)
        secrets = StackSecrets.load_or_make(self.layout.secrets)
        return StackPlan(layout=self.layout, outside=outside, secrets=secrets, ports=ports)

    def _start_together(self, plan: StackPlan, names: Sequence[StandardPart]) -> StackPlan:
        """Start parts side by side; where somebody took a port meanwhile, on another one.

        A new address makes new parts of all that are told it, and adding a part that has not changed does nothing.
        """
        for _ in range(_PORT_TRIES):
            parts = {name: plan.part(name) for name in names}
            for part in parts.values():
                self._supervisor.add(part)
            robbed = next((name for name, part in parts.items() if not self._has_its_port(plan, name, part)), None)
            if robbed is None:
                return plan
            plan = plan.with_new_port(robbed)
            plan.addresses.save(self.layout.addresses)
        raise self._failure(names[-1], f"each of {_PORT_TRIES} ports was taken by another program")

    def _has_its_port(self, plan: StackPlan, name: StandardPart, part: Part) -> bool:
        """Wait until a part is ready; False where it cannot be because its port is somebody else's.

        Raises:
            OutriderError: It is not ready for another reason.
        """
        try:
            self._await(part)
        except OutriderError:
            if not name.listens or is_free(plan.ports[name]):
                raise
            return False
        return True

    def _await(self, part: Part) -> None:
        """Wait until a part that was just started is ready; one that does not get ready is taken out again."""
        try:
            self.wait_ready(part)
        except OutriderError:
            self._supervisor.remove(part.name)
            raise

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
