"""A process that is started again whenever it ends, as a service manager does, and that tests may kill."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil

from deploy.local.part import Part, run_script
from deploy.local.polling import wait_until
from deploy.local.readiness import START_MARK, is_ready

#: Between two starts of a process that ends at once.
_PAUSE_SECONDS = 0.5
_END_SECONDS = 20


def inherited() -> dict[str, str]:
    """What started programs see of this process's environment; PYTHONPATH so that another tree can be tried."""
    return {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}


class Kept:
    """One part, kept running in a thread of its own.

    Attributes:
        log: What it printed in all its lives.
        lives: How often it was started.
    """

    def __init__(self, part: Part, folder: Path) -> None:
        self.part = part
        self.log = folder / f"{part.name}.log"
        self.lives = 0
        self._next_life = 1
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._wanted = False
        self._ended = False
        self._changed = threading.Condition()
        self._keeper = threading.Thread(target=self._keep, name=f"keeper of {part.name}", daemon=True)

    def start(self) -> None:
        """Start it, for the first time or after `hold`."""
        with self._changed:
            self._wanted = True
            self._changed.notify_all()
        if not self._keeper.is_alive():
            self._keeper.start()

    def change(self, **environment: str) -> None:
        """Variables of the next lives."""
        self.part = self.part.model_copy(update={"environment": {**self.part.environment, **environment}})

    def kill(self) -> None:
        """End this life with SIGKILL; the next one begins at once."""
        self._signal(signal.SIGKILL)

    def hold(self) -> None:
        """End this life with SIGKILL; no other begins before `start`."""
        with self._changed:
            self._wanted = False
        self._signal(signal.SIGKILL)

    def restart(self) -> None:
        """End this life as a service manager does, and begin the next."""
        self._signal(signal.SIGTERM)

    def stop(self) -> None:
        """End it for good, with all it started."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        child = self._child
        if child is not None and child.poll() is None:
            _end(child)
        if self._keeper.is_alive():
            self._keeper.join(_END_SECONDS)

    def wait_ready(self) -> None:
        """Wait until it can be used."""
        seconds = self.part.start_timeout.total_seconds() * 2
        if not wait_until(lambda: self.lives >= self._next_life and self._is_ready(), seconds=seconds):
            message = f"{self.part.name} is not ready:\n{self.log.read_text(errors='replace')[-4000:]}"
            raise AssertionError(message)

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self._child is not None and self._child.poll() is None

    @property
    def process(self) -> psutil.Process:
        """Its process of the moment."""
        assert self._child is not None
        return psutil.Process(self._child.pid)

    def _is_ready(self) -> bool:
        try:
            return self.is_running and is_ready(self.part.ready, self.process, self.log)
        except psutil.NoSuchProcess:
            return False

    def _signal(self, number: signal.Signals) -> None:
        child = self._child
        if child is not None and child.poll() is None:
            self._next_life = self.lives + 1
            os.kill(child.pid, number)
            child.wait(_END_SECONDS)

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._ended)
                if self._ended:
                    return
                self.lives += 1
                child = self._child = self._spawn()
            began = time.monotonic()
            child.wait()
            if time.monotonic() - began < _PAUSE_SECONDS:
                with self._changed:
                    self._changed.wait_for(lambda: self._ended, timeout=_PAUSE_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        script = self._folder / f"{self.part.name}.sh"
        script.write_text(run_script(self.part, folder=self._folder, inherited=inherited()), encoding="utf-8")
        with self.log.open("ab") as output:
            # The words of an earlier life must not count before the script itself says that a new one began.
            output.write(f"{START_MARK}\n".encode())
            output.flush()
            return subprocess.Popen(["/bin/sh", str(script)], stdout=output, stderr=subprocess.STDOUT)


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        _tell(member, signal.SIGTERM)
    for member in psutil.wait_procs(family, timeout=_END_SECONDS)[1]:
        _tell(member, signal.SIGKILL)
    child.wait()


def _tell(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
