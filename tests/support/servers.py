"""Real servers for tests, started without a supervisor: one process each, ended with the test session."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from deploy.local.part import Part, run_script
from deploy.local.polling import wait_until
from deploy.local.readiness import is_ready


@contextmanager
def running(part: Part, folder: Path) -> Iterator[psutil.Process]:
    """Run a part of the local stack, wait until it is ready, and end it with everything it started."""
    script = folder / f"{part.name}.sh"
    script.write_text(run_script(part, folder=folder, inherited={"PATH": os.environ["PATH"]}), encoding="utf-8")
    log = folder / f"{part.name}.log"
    with log.open("wb") as output:
        child = subprocess.Popen(["/bin/sh", str(script)], stdout=output, stderr=subprocess.STDOUT)
    process = psutil.Process(child.pid)
    try:
        has_come = wait_until(
            lambda: child.poll() is not None or is_ready(part.ready, process, log),
            seconds=part.start_timeout.total_seconds(),
        )
        if child.poll() is not None or not has_come:
            pytest.fail(f"{part.name} did not start:\n{log.read_text(errors='replace')}")
        yield process
    finally:
        _end(child, process)


def _end(child: subprocess.Popen[bytes], process: psutil.Process) -> None:
    family = [*process.children(recursive=True), process] if child.poll() is None else []
    for member in family:
        # It may have ended by itself, or with its parent.
        with suppress(psutil.NoSuchProcess):
            member.terminate()
    for member in psutil.wait_procs(family, timeout=5)[1]:
        member.kill()
    child.wait()
