"""The meter: it finds the processes of a stack, and remembers what they took when they are gone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.part import PART_VARIABLE, STACK_VARIABLE
from deploy.local.polling import wait_until
from deploy.simulation.at_scale.meter import SIMULATION, Meter

_MIB = 1024 * 1024
_SECONDS = 20
#: Takes 60 MiB and a fifth of a second of CPU, says so, and waits.
_PROGRAM = """
import sys, time
kept = bytearray(60 * 1024 * 1024)
while time.process_time() < 0.2:
    kept[::4096] = bytes(len(kept) // 4096)
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(**variables: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _PROGRAM]
    environment = {**os.environ, **variables}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield started
        started.communicate("")


def test_parts_are_told_apart_and_other_stacks_are_left_out(tmp_path: Path) -> None:
    mine = {STACK_VARIABLE: str(tmp_path)}
    theirs = {STACK_VARIABLE: str(tmp_path / "other"), PART_VARIABLE: "api"}
    with process(**mine, **{PART_VARIABLE: "api"}), process(**mine, **{PART_VARIABLE: "store"}), process(**theirs):
        usage = Meter(tmp_path).read()
    assert set(usage) == {"api", "store"}
    assert {name: part.processes for name, part in usage.items()} == {"api": 1, "store": 1}
    assert all(part.cpu_seconds >= 0.1 and 60 < part.peak_mib < 200 for part in usage.values()), usage


def test_what_a_part_took_is_known_when_it_is_gone(tmp_path: Path) -> None:
    meter = Meter(tmp_path)
    with process(**{STACK_VARIABLE: str(tmp_path), PART_VARIABLE: "api"}):
        before = meter.read()["api"]
    after = meter.read()["api"]
    assert after.cpu_seconds >= before.cpu_seconds > 0
    assert after.peak_mib == before.peak_mib
    assert after.processes == 0


def test_a_part_that_was_started_again_adds_up(tmp_path: Path) -> None:
    meter, variables = Meter(tmp_path), {STACK_VARIABLE: str(tmp_path), PART_VARIABLE: "api"}
    for _ in range(2):
        with process(**variables):
            meter.read()
    assert meter.read()["api"].cpu_seconds >= 0.3


def test_the_simulation_is_a_part_too(tmp_path: Path) -> None:
    with process() as one, process() as other:
        usage = Meter(tmp_path, lambda: [one.pid, other.pid]).read()
    assert usage[SIMULATION].processes == 2
    assert usage[SIMULATION].peak_mib > 120


def test_it_looks_by_itself(tmp_path: Path) -> None:
    meter = Meter(tmp_path, look_seconds=0.05)
    with meter.running(), process(**{STACK_VARIABLE: str(tmp_path), PART_VARIABLE: "api"}) as started:
        assert wait_until(lambda: any(pid == started.pid for _, pid, _ in meter.seen()), seconds=_SECONDS)
    assert meter.read()["api"].cpu_seconds > 0
