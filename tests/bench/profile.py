"""Show where the time of an area goes, in the process that is measured there.

py-spy looks into the process from outside, without stopping it. Where the system forbids that
(`kernel.yama.ptrace_scope` above 0), it takes root.
"""

import argparse
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.bench.frame.areas import area_names, unknown
from tests.bench.profiling.recording import Recording, record
from tests.bench.profiling.samples import WorkTime

#: How the label of the measured process begins, where it is not the benchmark itself.
_MEASURED: Final = {
    "agent_at_rest": "outrider-agent run",
    "agent_job": "outrider-agent run",
    "api": "outrider-control api",
    "control_plane": "outrider-control",
}
_ITSELF = "tests.bench"
_OURS: Final = re.compile(r" \((?:contract|control|worker|storage|deploy|tests)/")
_FOLDER = Path(".outrider/profile")
_RATE = 200
_TOP = 25
_WIDTH = 180
_PERCENT = 100


def main() -> int:
    """Measure one area under py-spy, print the busiest functions, and leave files for a closer look."""
    chosen = _arguments()
    wanted = chosen.process or _MEASURED.get(chosen.area, _ITSELF)
    folder = _FOLDER / chosen.area
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    length = [] if chosen.full else ["--quick"]
    try:
        recordings = record([sys.executable, "-m", "tests.bench", *length, chosen.area], folder, wanted, rate=_RATE)
    except RuntimeError as error:
        Console(stderr=True).print(f"{error}", style="red")
        return 1
    words = "\n".join(report(recordings)) + "\n"
    (folder / "functions.txt").write_text(words, encoding="utf-8")
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False, markup=False, soft_wrap=True)
    console.print(words)
    console.print(f"Written to {folder}: functions.txt, and for https://www.speedscope.app a file of each process.")
    return 0


def report(recordings: Iterable[Recording]) -> Iterator[str]:
    """The busiest functions; processes that run the same are taken together."""
    works: dict[str, WorkTime] = {}
    for recording in recordings:
        works.setdefault(recording.label, WorkTime()).add_all(recording.samples())
    for label, work in works.items():
        yield f"{label}: {work.seconds:.2f} s at work, {work.importing:.2f} s more loading modules"
        yield from _top("own time", work.own, work.seconds)
        ours = {name: seconds for name, seconds in work.cumulative.items() if _OURS.search(name)}
        yield from _top("time with what it calls, this project's own functions", ours, work.seconds)
        yield from _top("time with what it calls, all functions", work.cumulative, work.seconds)


def _top(what: str, by_function: Mapping[str, float], total: float) -> Iterator[str]:
    yield f"\n{what}"
    for name, seconds in sorted(by_function.items(), key=lambda item: -item[1])[:_TOP]:
        yield f"{seconds:9.2f} s {seconds / total * _PERCENT:5.1f} %  {name}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.profile", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long run in place of the short one")
    parser.add_argument("--process", metavar="WORDS", help="how the command begins, in place of the measured process")
    parser.add_argument("area", help="one of the benchmark's areas")
    chosen = parser.parse_args()
    if unknown([chosen.area]):
        parser.error(f"no such area: {chosen.area}; there are {', '.join(area_names())}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
