"""What happens to the content store, as devices see it."""

from collections.abc import Callable

from tests.faults.ground import Fault, Ground
from tests.faults.row import Row
from tests.faults.site import PATIENT
from tests.support.fault_proxy import Direction

_UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_SLOW_BYTES_PER_SECOND = 400_000
#: Within the headers of the first answer, and within its body.
_EARLY, _LATE = 100, 150_000


def down(ground: Ground) -> Row:
    """The store refuses every connection, for as long as devices take to notice."""
    return _while(ground, "store down", ground.site.store_link.refuse)


def unavailable(ground: Ground) -> Row:
    """The store answers 503."""
    return _while(ground, "store answers 503", lambda: ground.site.store_link.answer(_UNAVAILABLE))


def slow(ground: Ground) -> Row:
    """The store's bytes come slowly."""
    ground.site.set_reconciler(PATIENT)
    with ground.trial(2) as trial:
        trial.inject(lambda: ground.site.store_link.drip(_SLOW_BYTES_PER_SECOND))
        return trial.row("store slow")


def cut_at_early(ground: Ground) -> Row:
    """Every answer of the store is cut within its headers."""
    link = ground.site.store_link
    return _while(ground, f"store cuts after {_EARLY} bytes", lambda: link.cut_after(_EARLY, Direction.TO_CLIENT))


def cut_at_late(ground: Ground) -> Row:
    """Every answer is cut in its middle, all the time: each try must bring the download further."""
    ground.site.set_reconciler(PATIENT)
    with ground.trial(2) as trial:
        trial.inject(lambda: ground.site.store_link.cut_after(_LATE, Direction.TO_CLIENT))
        return trial.row(f"store cuts each answer after {_LATE} bytes")


def _while(ground: Ground, name: str, fault: Callable[[], object]) -> Row:
    """The store is away until every device waits for it."""
    ground.site.set_reconciler(PATIENT)
    ground.site.store_link.cut()
    fault()
    with ground.trial(3) as trial:
        trial.injected += 1
        # Three apps, and each comes as far as its download.
        trial.wait_for_phases(5 * trial.size)
        ground.site.store_link.forward()
        trial.measure()
        return trial.row(name)


STORE_FAULTS = (
    Fault("store down", down),
    Fault("store answers 503", unavailable),
    Fault("store slow", slow),
    Fault("store cuts early", cut_at_early),
    Fault("store cuts late", cut_at_late),
)
