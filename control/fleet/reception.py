"""Where devices check in: those that come together are one transaction, and one request to send what is due."""

from collections.abc import Sequence
from typing import Final

from contract.clock import Clock
from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.queues import ControlTask
from contract.uplink import CheckIn, CheckInReply
from control.database.session import Database
from control.dispatch.ports import ControlQueue
from control.fleet.check_in import Arrival, CheckInTerms, check_in
from control.grouped_calls import GroupedCalls
from control.security.trust_chain import TrustChain

#: Under load a check-in waits so long at most before its transaction begins.
_PACE_SECONDS: Final = 0.05


class Reception:
    """Takes check-ins; when it returns, what is due is on its way to the device."""

    def __init__(
        self, database: Database, chain: TrustChain, queue: ControlQueue, clock: Clock, terms: CheckInTerms
    ) -> None:
        self._database = database
        self._chain = chain
        self._queue = queue
        self._clock = clock
        self._terms = terms
        self._calls = GroupedCalls("check-ins", self._together, self._alone, pace_seconds=_PACE_SECONDS)

    async def check_in(self, device_id: str, message: CheckIn) -> CheckInReply:
        """What the device hears.

        Raises:
            UnavailableError: The database does not answer.
        """
        return await self._calls.call(Arrival(device_id, message))

    def _together(self, arrivals: Sequence[Arrival]) -> Sequence[CheckInReply | None]:
        with self._database.transaction() as session:
            version, now = self._chain.version(session), self._clock.now()
            replies = check_in(session, arrivals, self._terms, trusted_keys_version=version, now=now)
        if any(reply is not None and reply.jobs_sent for reply in replies):
            self._queue.request(ControlTask.DISPATCH)
        return replies

    def _alone(self, arrival: Arrival) -> CheckInReply:
        (reply,) = self._together([arrival])
        if reply is None:
            raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail="no such device is enrolled")
        return reply
