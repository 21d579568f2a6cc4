"""`outrider-agent run` that hurts itself at exact points of every phase, once at each point.

`OUTRIDER_HURT_POINTS` names the points, comma separated: `<phase>:<moment>`. A point that has been used is written to
the file `OUTRIDER_HURT_USED` first, so that the next life passes it. `OUTRIDER_HURT_DISK`, where given, is a folder:
instead of dying, the agent fills its disk to the last byte and frees it after a while.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any, cast

from contract.moving_transport import MovingQoS
from contract.phases import Phase
from worker import engine
from worker.cli.main import main
from worker.engine import Engine
from worker.phases.context import PhaseContext, PhaseFunction
from worker.phases.table import PHASE_FUNCTIONS

#: How long the agent waits in these tests after its ledger could not be used; in the product it is a minute.
_LEDGER_WAIT_SECONDS = 2.0

#: The moments of a phase, in order: the ledger knows that it began; its work is done; the ledger knows how it ended;
#: the next link is in the queue; its own message is gone.
MOMENTS = ("begun", "worked", "recorded", "handed-on", "acknowledged")

_FULL_SECONDS = 3.0
_FILL_BYTES = 64 * 1024


@dataclass
class Hurt:
    """Does the harm, once at each point.

    Attributes:
        phase: The phase that ran last.
    """

    points: frozenset[str]
    used: Path
    harm: Callable[[], None]
    phase: Phase = Phase.POLL

    def at(self, moment: str) -> None:
        """This moment of the current phase has come."""
        point = f"{self.phase.value}:{moment}"
        if point not in self.points or point in self._used():
            return
        with self.used.open("a", encoding="utf-8") as file:
            file.write(f"{point}\n")
        self.harm()

    def _used(self) -> list[str]:
        return self.used.read_text(encoding="utf-8").split() if self.used.exists() else []


def kill_this_process() -> None:
    """As kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def fill_for_a_while(folder: Path) -> None:
    """Leave no byte free on the folder's disk, for some seconds."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        size = _FILL_BYTES
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    threading.Timer(_FULL_SECONDS, partial(filler.unlink, missing_ok=True)).start()


def install_hooks(hurt: Hurt) -> None:
    """Have every phase come by the points."""
    functions = cast("dict[Phase, PhaseFunction]", PHASE_FUNCTIONS)
    for phase, function in PHASE_FUNCTIONS.items():
        functions[phase] = partial(_phase, hurt, phase, function)
    assert vars(engine)["_LEDGER_WAIT_SECONDS"] > _LEDGER_WAIT_SECONDS
    vars(engine)["_LEDGER_WAIT_SECONDS"] = _LEDGER_WAIT_SECONDS
    _wrap(Engine, "run", partial(_run, hurt))
    _wrap(MovingQoS, "ack", partial(_ack, hurt))


def _wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        return around(partial(original, *arguments, **named), *arguments)

    setattr(owner, name, wrapped)


def _phase(hurt: Hurt, phase: Phase, function: PhaseFunction, context: PhaseContext) -> Any:
    hurt.phase = phase
    hurt.at("begun")
    result = function(context)
    hurt.at("worked")
    return result


def _run(hurt: Hurt, run: Callable[[], Any], _self: Engine, phase: Phase, *_others: Any) -> Any:
    handover = run()
    hurt.phase = phase
    hurt.at("recorded")
    return handover


def _ack(hurt: Hurt, ack: Callable[[], None], *_arguments: Any) -> None:
    hurt.at("handed-on")
    ack()
    hurt.at("acknowledged")


if __name__ == "__main__":
    disk = os.environ.get("OUTRIDER_HURT_DISK")
    install_hooks(
        Hurt(
            points=frozenset(os.environ["OUTRIDER_HURT_POINTS"].split(",")),
            used=Path(os.environ["OUTRIDER_HURT_USED"]),
            harm=partial(fill_for_a_while, Path(disk)) if disk else kill_this_process,
        )
    )
    sys.argv = ["outrider-agent", "run"]
    main()
