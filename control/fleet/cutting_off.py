"""Shutting retired devices out of the broker, also where it was away when they were retired.

Only the API may change the broker's users, so it is the API that finishes this, not the control plane's workers. What
is left to do stands in the database: it survives every process.
"""

from threading import Event, Thread
from typing import Final

from sqlalchemy import select, update
from structlog import get_logger

from contract.clock import Clock
from contract.errors import UnavailableError
from control.database.session import Database
from control.database.tables import Device
from control.fleet.enrollment import Enrollment

_log = get_logger(__name__)

#: A retired device is to be out of the broker within a minute of its return.
_INTERVAL_SECONDS: Final = 10.0
#: Devices of one turn.
_BATCH: Final = 500


def cut_off_retired(database: Database, enrollment: Enrollment, clock: Clock) -> int:
    """Remove the broker users of retired devices that still have one.

    Returns:
        How many there were.

    Raises:
        UnavailableError: Broker or database do not answer; what was done is not done again.
    """
    left = select(Device.id).where(Device.retired_at.is_not(None), Device.cut_off_at.is_(None)).limit(_BATCH)
    with database.snapshot() as session:
        device_ids = session.scalars(left).all()
    for device_id in device_ids:
        enrollment.cut_off(device_id)
        with database.transaction() as session:
            session.execute(update(Device).where(Device.id == device_id).values(cut_off_at=clock.now()))
    return len(device_ids)


class CuttingOff:
    """A thread that looks every few seconds for devices to be cut off.

    Args:
        interval_seconds: Between two looks.
    """

    def __init__(
        self, database: Database, enrollment: Enrollment, clock: Clock, interval_seconds: float = _INTERVAL_SECONDS
    ) -> None:
        self._database = database
        self._enrollment = enrollment
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="cutting-off", daemon=True)

    def start(self) -> None:
        """Begin to look; first after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that has begun is finished first."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_seconds):
            try:
                done = cut_off_retired(self._database, self._enrollment, self._clock)
            except UnavailableError as error:
                _log.warning("retired devices are yet to be shut out of the broker", error=str(error))
            except Exception:  # noqa: BLE001  the thread lives as long as its process
                _log.exception("looking for retired devices failed; it is tried again")
            else:
                if done:
                    _log.info("retired devices were shut out of the broker", devices=done)
