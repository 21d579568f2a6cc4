"""Where devices enrol: new ones that come together are one transaction, and one round trip to each broker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.clock import Clock
from contract.errors import TrustError
from contract.uplink import EnrollmentReply, EnrollmentRequest
from control.database.session import Database
from control.database.tables import Device, EnrollmentToken
from control.fleet.enrollment import Enrollment, Entrance, check_proof
from control.fleet.enrollment_tokens import spend, tokens_by_hash
from control.fleet.known_devices import KnownDevices
from control.fleet.membership import join_static, refresh_devices
from control.grouped_calls import GroupedCalls
from control.security.tokens import token_hash

#: Under load an enrolment waits so long at most before its transaction begins.
_PACE_SECONDS: Final = 0.05


@dataclass(frozen=True, eq=False)
class Applicant:
    """Somebody who asks to join.

    Attributes:
        request: What they ask with.
        source: The address the request came from.
    """

    request: EnrollmentRequest
    source: str

    @property
    def digest(self) -> str:
        """The hash of the token."""
        return token_hash(self.request.token)


class Admission:
    """Takes devices in; when it returns, the device is enrolled and its broker lets it in.

    Args:
        database: Where they are kept.
        enrollment: Lets them in.
        known: Who is let in already.
        clock: The time.
    """

    def __init__(self, database: Database, enrollment: Enrollment, known: KnownDevices, clock: Clock) -> None:
        self._database = database
        self._enrollment = enrollment
        self._known = known
        self._clock = clock
        self._calls = GroupedCalls("enrolments", self._together, self._alone, pace_seconds=_PACE_SECONDS)

    async def enroll(self, request: EnrollmentRequest, source: str) -> EnrollmentReply:
        """What the device is told.

        Raises:
            TrustError: The token is unknown, used up or expired; or the device does not hold its signing key.
            UnavailableError: Database or broker do not answer; the token is as good as before.
        """
        check_proof(request)
        return await self._calls.call(Applicant(request, source))

    def _together(self, applicants: Sequence[Applicant]) -> Sequence[EnrollmentReply | None]:
        with self._database.transaction() as session:
            return let_in(session, self._enrollment, applicants, self._clock.now())

    def _alone(self, applicant: Applicant) -> EnrollmentReply:
        with self._database.transaction() as session:
            reply = self._enrollment.enroll(session, applicant.request, self._clock.now(), applicant.source)
        # It may have come in the place of another one.
        self._known.forget_all()
        return reply


def let_in(
    session: Session, enrollment: Enrollment, applicants: Sequence[Applicant], now: datetime
) -> list[EnrollmentReply | None]:
    """Let in those that are new and have a good token, all at once; their proofs have been checked.

    Returns:
        What each is told. None for one that has to ask alone: its key is enrolled, or came twice; its token is not good
        for all who came with it, or is for a device in the place of another one.

    Raises:
        UnavailableError: The broker does not answer; nobody is let in.
    """
    tokens = _spent(session, _newcomers(session, applicants), now)
    if not tokens:
        return [None] * len(applicants)
    devices = {one: enrollment.newcomer(one.request, token, now) for one, token in tokens.items()}
    session.add_all(devices.values())
    session.flush()
    wanted = {devices[one].id: [token.group_id] for one, token in tokens.items() if token.group_id is not None}
    join_static(session, wanted, now)
    refresh_devices(session, list(devices.values()), now)
    replies = dict(zip(devices, enrollment.hand_out_all(session, list(devices.values())), strict=True))
    enrollment.record(session, [Entrance(devices[one], token, one.source) for one, token in tokens.items()], now)
    return [replies.get(one) for one in applicants]


def _newcomers(session: Session, applicants: Sequence[Applicant]) -> Mapping[Applicant, EnrollmentToken]:
    """The first of each key that is not enrolled, with a token that may be good and takes nobody's place."""
    tokens = tokens_by_hash(session, {one.digest for one in applicants})
    plain = {digest: token for digest, token in tokens.items() if token.replaces is None}
    by_key: dict[bytes, Applicant] = {}
    for one in applicants:
        by_key.setdefault(one.request.signing_key, one)
    known = set(session.scalars(select(Device.signing_key).where(Device.signing_key.in_(by_key))))
    return {one: plain[one.digest] for key, one in by_key.items() if key not in known and one.digest in plain}


def _spent(
    session: Session, tokens: Mapping[Applicant, EnrollmentToken], now: datetime
) -> Mapping[Applicant, EnrollmentToken]:
    """Those whose token was good for all who came with it."""
    # In the order of their ids, so that two groups never wait for each other.
    uses = sorted(Counter(tokens.values()).items(), key=lambda spent: spent[0].id)
    good = {token for token, count in uses if _is_good(session, token, count, now)}
    return {one: token for one, token in tokens.items() if token in good}


def _is_good(session: Session, token: EnrollmentToken, uses: int, now: datetime) -> bool:
    try:
        spend(session, token.token_hash, now, uses)
    except TrustError:
        return False
    return True
