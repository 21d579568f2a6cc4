"""Going to another broker when the control plane says so, without losing what is under way.

The phase in progress is finished first. Then the agent lets go of its queue and begins anew at the other broker; what
it leaves behind is brought after it by the control plane.
"""

from collections.abc import Callable
from pathlib import Path

import structlog

from contract.errors import InputError
from worker.departure import Departure
from worker.identity import Identity, replace_identity

_log = structlog.get_logger(__name__)


class Relocation:
    """Hears where to go, goes there if that can be reached, and otherwise stays.

    Args:
        identity: The device as it is now.
        path: Where its identity is kept.
        require_secure: Raises `InputError` for an address that the device refuses.
        reaches: Whether the device can use the broker that its identity names.
        leave: Has the agent let go of its queue when the phase in progress has ended.
        departure: Ends the process if the agent cannot let go: its broker is gone for good.
    """

    def __init__(
        self,
        identity: Identity,
        path: Path,
        *,
        require_secure: Callable[[str], None],
        reaches: Callable[[Identity], bool],
        leave: Callable[[], None],
        departure: Departure,
    ) -> None:
        self._identity = identity
        self._path = path
        self._require_secure = require_secure
        self._reaches = reaches
        self._leave = leave
        self._departure = departure
        self._is_decided = False

    def consider(self, broker_url: str | None) -> None:
        """Told where to listen; None is to stay."""
        if broker_url is None or self._is_decided:
            return
        moved = Identity.model_validate({**self._identity.model_dump(), "broker_url": broker_url})
        try:
            self._require_secure(broker_url)
        except InputError as error:
            _log.warning("the device was told to go to another broker and refuses", error=str(error))
            return
        if not self._reaches(moved):
            _log.warning("the device was told to go to a broker that it cannot reach; it stays", broker=broker_url)
            return
        replace_identity(moved, self._path)
        self._is_decided = True
        _log.info("the device goes to another broker", broker=broker_url)
        self._leave()
        self._departure.ask()

    def conclude(self) -> bool:
        """The agent has let go of its queue; whether it is to begin anew at another broker."""
        self._departure.call_off()
        return self._is_decided
