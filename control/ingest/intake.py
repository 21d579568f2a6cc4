"""Where devices' words come in: many that arrive together are one transaction."""

from collections.abc import Sequence
from typing import Final

from contract.clock import Clock
from contract.report import Report
from contract.uplink import ProgressBatch
from control.database.session import Database
from control.grouped_calls import GroupedCalls
from control.ingest.taken import Taken
from control.ingest.words import Word, checked_word, take_word, take_words

#: Under load a word waits so long at most before its transaction begins.
_PACE_SECONDS: Final = 0.05


class Intake:
    """Stores what devices say; when it returns, that is stored for good."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._group = GroupedCalls("intake", self._together, self._alone, pace_seconds=_PACE_SECONDS)

    async def take(self, device_id: str, said: Report | ProgressBatch) -> Taken:
        """Store a report, or a batch of progress, of the device that signed it.

        Raises:
            TrustError: A report names another device than the one that signed it.
            NotFoundError: A report is about no job of this device.
            DocumentError: A number in it is larger than any column.
            UnavailableError: The database does not answer.
        """
        return await self._group.call(checked_word(device_id, said))

    def _together(self, words: Sequence[Word]) -> Sequence[Taken | None]:
        with self._database.transaction() as session:
            return take_words(session, words, self._clock.now())

    def _alone(self, word: Word) -> Taken:
        with self._database.transaction() as session:
            return take_word(session, word, self._clock.now())
