"""What each part of a stack, and the simulation, takes of the machine: looked up every few seconds in a thread."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.local.part import PART_VARIABLE, STACK_VARIABLE

#: From one look to the next.
_LOOK_SECONDS = 3.0
_MIB = 1024 * 1024
#: What the simulation's own processes are called.
SIMULATION = "simulation"


@dataclass(frozen=True)
class Usage:
    """What one part has taken.

    Attributes:
        cpu_seconds: Of all its processes, ended ones included as far as they were seen.
        peak_mib: The most memory that its processes held together, resident.
        processes: How many it has.
    """

    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    processes: int = 0


@dataclass
class Meter:
    """Looks at all processes of a stack.

    Attributes:
        folder: The stack's.
        simulation: The ids of the simulation's processes, once there are any.
        look_seconds: From one look to the next.
    """

    folder: Path
    simulation: Callable[[], Collection[int]] = tuple
    look_seconds: float = _LOOK_SECONDS
    _cpu: dict[tuple[str, int, float], float] = field(default_factory=dict)
    _peaks: Counter[str] = field(default_factory=Counter)
    _processes: Counter[str] = field(default_factory=Counter)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _looking: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look again and again within the block."""
        thread = threading.Thread(target=self._look_on, name="meter")
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def read(self) -> Mapping[str, Usage]:
        """What each part has taken so far, by its name."""
        with self._looking:
            self._look()
            cpu = Counter[str]()
            for (name, _, _), seconds in self._cpu.items():
                cpu[name] += seconds  # type: ignore[assignment]  # a counter of seconds
            return {
                name: Usage(float(cpu[name]), self._peaks[name] / _MIB, self._processes[name]) for name in sorted(cpu)
            }

    def seen(self) -> set[tuple[str, int, float]]:
        """Every process that was looked at: its part, its id, and when it began."""
        return set(self._cpu)

    def _look_on(self) -> None:
        while not self._stopped.wait(self.look_seconds):
            with self._looking:
                self._look()

    def _look(self) -> None:
        memory, self._processes = Counter[str](), Counter[str]()
        for process in psutil.process_iter():
            try:
                name = self._part_of(process)
                if name is None:
                    continue
                times, resident = process.cpu_times(), process.memory_info().rss
            except psutil.Error:
                # It ended, or is nobody of ours.
                continue
            self._cpu[name, process.pid, process.create_time()] = times.user + times.system
            memory[name] += resident
            self._processes[name] += 1
        for name, resident in memory.items():
            self._peaks[name] = max(self._peaks[name], resident)

    def _part_of(self, process: psutil.Process) -> str | None:
        if process.pid in self.simulation():
            return SIMULATION
        environment = process.environ()
        is_ours = environment.get(STACK_VARIABLE) == str(self.folder)
        return environment.get(PART_VARIABLE) if is_ours else None
