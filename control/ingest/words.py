"""What devices say of their jobs, taken in together: everything is read once, judged in memory, and written once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.report import Report
from contract.uplink import ProgressBatch
from control.ingest.hearing import Hearing
from control.ingest.progress import take_progress
from control.ingest.reports import take_report
from control.ingest.storable import check_numbers
from control.ingest.taken import Taken


@dataclass(frozen=True)
class Word:
    """What a device said; `checked_word` makes it."""

    device_id: str
    said: Report | ProgressBatch

    @property
    def job_ids(self) -> frozenset[str]:
        """The jobs it speaks of."""
        items = (self.said,) if isinstance(self.said, Report) else self.said.items
        return frozenset(item.job_id for item in items)


def checked_word(device_id: str, said: Report | ProgressBatch) -> Word:
    """What can be judged by itself is good.

    Raises:
        TrustError: A report names another device than the one that signed it.
        DocumentError: A number in it is larger than any column.
    """
    check_numbers(said)
    if isinstance(said, Report) and said.device_id != device_id:
        detail = "the report names another device than the one that signed it"
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, place=said.job_id, detail=detail)
    return Word(device_id, said)


def take_word(session: Session, word: Word, now: datetime) -> Taken:
    """Store what a device said and what it changes about its jobs.

    Raises:
        NotFoundError: A report is about no job of this device.
    """
    hearing = _hearing(session, [word], wait=True)
    taken = _take(hearing, word, now)
    hearing.write(now)
    return taken


def take_words(session: Session, words: Sequence[Word], now: datetime) -> list[Taken | None]:
    """The same for words of several devices, waiting for nobody.

    Returns:
        None for a word that is left as it was: about something that is not there, or that somebody else has locked.
        Whoever waited for that while others wait for him could wait for ever.
    """
    hearing = _hearing(session, words, wait=False)
    taken = [_take(hearing, word, now) if hearing.is_whole(word.device_id, word.job_ids) else None for word in words]
    hearing.write(now)
    return taken


def _hearing(session: Session, words: Sequence[Word], *, wait: bool) -> Hearing:
    job_ids = frozenset[str]().union(*(word.job_ids for word in words))
    reports = [word.said for word in words if isinstance(word.said, Report)]
    return Hearing(session, {word.device_id for word in words}, job_ids, reports, wait=wait)


def _take(hearing: Hearing, word: Word, now: datetime) -> Taken:
    if isinstance(word.said, Report):
        return take_report(hearing, word.said, now)
    return take_progress(hearing, word.device_id, word.said, now)
