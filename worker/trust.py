"""Which keys the device trusts: what it pinned at enrolment, and every version that followed it."""

import threading

from structlog import get_logger

from contract.envelopes import SignedEnvelope
from contract.errors import OutriderError
from contract.trusted_keys import TrustedKeys, follow
from worker.ledger.trust import TrustTable
from worker.uplink.port import Uplink

_log = get_logger(__name__)


class Trust:
    """The trusted keys; several threads of the agent may look and learn.

    Args:
        pinned: The version that enrolment brought; a ledger that was lost is made good from here.
        table: Keeps the newest version.
    """

    def __init__(self, pinned: SignedEnvelope, table: TrustTable) -> None:
        self._table = table
        self._learning = threading.Lock()
        known = [TrustedKeys.from_json(one.payload) for one in (pinned, table.newest()) if one is not None]
        self._current = max(known, key=lambda trusted: trusted.version)

    @property
    def current(self) -> TrustedKeys:
        """The newest version that was accepted; it may have expired."""
        return self._current

    def learn(self, version: int, uplink: Uplink) -> None:
        """Follow the chain up to a version that the control plane says there is; an older one changes nothing.

        Raises:
            UnavailableError: The control plane does not answer.
            TrustError: TRUSTED_KEYS_REFUSED: a version is not signed by the root keys before it; the one before stays.
            DocumentError: The root keys signed what this agent does not understand.
        """
        with self._learning:
            while self._current.version < version:
                chain = uplink.trusted_keys(after=self._current.version).chain
                if not chain:
                    return
                trusted = follow(self._current, chain)
                self._table.put(trusted.version, chain[-1])
                self._current = trusted
                _log.info("the trusted keys were renewed", version=trusted.version)

    def learn_in_passing(self, version: int, uplink: Uplink) -> None:
        """`learn` where a refusal is no news to anybody yet: the next job fails by it and says so."""
        try:
            self.learn(version, uplink)
        except OutriderError as error:
            _log.warning("the trusted keys were not renewed", error=str(error))
