"""The uplink against a real server, its signatures checked as the control plane checks them."""

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from contract.clock import ManualClock
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, OutriderError, RateLimitedError, TrustError, UnavailableError
from contract.http_signatures import TIME_HEADER, SignableRequest
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import Progress
from contract.request_verification import verify_request
from contract.uplink import (
    TRUSTED_KEYS_VERSION_HEADER,
    CheckIn,
    CheckInReason,
    CheckInReply,
    ContentInfo,
    Problem,
    ProgressBatch,
    TrustedKeysReply,
)
from tests.support.trust import Roots
from tests.worker.rig import Rig
from tests.worker.uplink.server import Answer, Asked, Server
from worker.settings import AgentSettings
from worker.uplink.http import HttpUplink
from worker.uplink.transport import http_client

pytestmark = pytest.mark.integration

SECONDS = 30
JOB = JobRef(job_id=str(uuid4()), generation=3, attempt=1)
REPLY = CheckInReply(jobs_sent=2, check_in_interval_seconds=60, server_time=datetime.now(UTC), trusted_keys_version=1)


def _problem(status: int, code: ErrorCode) -> Answer:
    problem = Problem(title=code.sentence, status=status, code=code.slug, detail="the facts")
    return Answer(status, problem.model_dump_json().encode(), {"Content-Type": "application/problem+json"})


def _check_in(rig: Rig) -> CheckIn:
    return CheckIn(reason=CheckInReason.USER_REQUEST, facts=rig.device.machine.platform.facts())


def _progress() -> ProgressBatch:
    item = Progress(job_id=JOB.job_id, generation=1, attempt=1, sequence=1, phase=Phase.POLL, at=datetime.now(UTC))
    return ProgressBatch(items=(item,))


CALLS: list[Callable[[HttpUplink, Rig], object]] = [
    lambda uplink, rig: uplink.check_in(_check_in(rig)),
    lambda uplink, _rig: uplink.policy(JOB, known_digest=None),
    lambda uplink, _rig: uplink.content_info(JOB),
    lambda uplink, _rig: uplink.progress(_progress()),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.behaviour("B-21", "B-40")
def test_every_request_is_signed_by_the_device(
    call: Callable[[HttpUplink, Rig], object], uplink: HttpUplink, server: Server, rig: Rig
) -> None:
    info = ContentInfo(url="http://store", expires_at=datetime.now(UTC), size=1, sealed_key=b"x")
    bodies = {"check-in": REPLY.to_json(), "content-info": info.to_json()}
    server.answer = lambda asked: Answer(
        body=bodies.get(urlsplit(asked.request.url).path.rpartition("/")[2], "").encode()
    )
    call(uplink, rig)
    (asked,) = server.asked
    keys = {rig.identity.device_id: rig.identity.signer.public_key()}
    key_id, nonce = verify_request(asked.request, asked.body, keys.__getitem__)
    assert key_id == rig.identity.device_id
    assert nonce


def test_a_request_changed_on_the_way_does_not_verify(uplink: HttpUplink, server: Server, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
    uplink.check_in(_check_in(rig))
    (asked,) = server.asked
    keys = {rig.identity.device_id: rig.identity.signer.public_key()}
    with pytest.raises(TrustError):
        verify_request(asked.request, asked.body + b" ", keys.__getitem__)
    moved = SignableRequest("POST", f"{server.url}/v1/device/reports", asked.request.headers)
    with pytest.raises(TrustError):
        verify_request(moved, asked.body, keys.__getitem__)


def test_a_check_in_says_what_it_says_and_hears_the_reply(uplink: HttpUplink, server: Server, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
    said = _check_in(rig)
    assert uplink.check_in(said) == REPLY
    assert CheckIn.from_json(server.asked[0].body) == said


def test_a_policy_comes_with_the_digest_of_its_bytes(uplink: HttpUplink, server: Server) -> None:
    server.answer = lambda _asked: Answer(body=b"signed bytes")
    reply = uplink.policy(JOB, known_digest=None)
    assert reply.envelope == b"signed bytes"
    assert reply.digest == hashlib.sha256(b"signed bytes").hexdigest()


def test_what_is_asked_for_a_job_is_asked_for_its_generation(uplink: HttpUplink, server: Server) -> None:
    uplink.policy(JOB, known_digest=None)
    assert server.asked[0].request.url.endswith(f"/v1/device/jobs/{JOB.job_id}/policy?generation=3")


def test_a_policy_that_is_known_is_not_sent_again(uplink: HttpUplink, server: Server) -> None:
    digest = hashlib.sha256(b"signed bytes").hexdigest()

    def answer(asked: Asked) -> Answer:
        assert asked.request.headers["if-none-match"] == f'"{digest}"'
        return Answer(304)

    server.answer = answer
    reply = uplink.policy(JOB, known_digest=digest)
    assert (reply.digest, reply.envelope) == (digest, None)


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_a_server_that_cannot_right_now_may_be_asked_again(uplink: HttpUplink, server: Server, status: int) -> None:
    server.answer = lambda _asked: Answer(status)
    with pytest.raises(UnavailableError) as caught:
        uplink.content_info(JOB)
    assert caught.value.code is ErrorCode.API_UNAVAILABLE


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, ErrorCode.SIGNATURE_REFUSED, TrustError),
        (403, ErrorCode.TOKEN_REFUSED, TrustError),
        (404, ErrorCode.UNKNOWN_JOB, NotFoundError),
        (409, ErrorCode.DOCUMENT_INVALID, OutriderError),
    ],
)
def test_a_refusal_has_the_code_the_control_plane_gave(
    uplink: HttpUplink, server: Server, status: int, code: ErrorCode, kind: type[OutriderError]
) -> None:
    server.answer = lambda _asked: _problem(status, code)
    with pytest.raises(kind) as caught:
        uplink.content_info(JOB)
    assert caught.value.code is code
    assert caught.value.detail == "the facts"


def test_a_refusal_in_other_words_is_still_an_error(uplink: HttpUplink, server: Server) -> None:
    server.answer = lambda _asked: Answer(418, b"<html>teapot</html>")
    with pytest.raises(OutriderError) as caught:
        uplink.content_info(JOB)
    assert caught.value.code is ErrorCode.API_ERROR
    assert "418" in caught.value.detail


def test_an_answer_that_is_no_such_document_is_an_error(uplink: HttpUplink, server: Server, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(body=b"{}")
    with pytest.raises(OutriderError) as caught:
        uplink.check_in(_check_in(rig))
    assert caught.value.code is ErrorCode.DOCUMENT_INVALID


def test_silence_ends_after_the_time_limit(uplink: HttpUplink, server: Server) -> None:
    given_up = threading.Event()

    def answer(_asked: Asked) -> Answer:
        given_up.wait(SECONDS)
        return Answer()

    server.answer = answer
    uplink.client.timeout = 0.2
    with pytest.raises(UnavailableError, match="ReadTimeout"):
        uplink.content_info(JOB)
    given_up.set()


def test_a_cut_answer_may_be_asked_for_again(uplink: HttpUplink, server: Server) -> None:
    server.answer = lambda _asked: Answer(body=b"x" * 100, cut_after=10)
    with pytest.raises(UnavailableError):
        uplink.content_info(JOB)


def test_nobody_there_may_be_asked_again(uplink: HttpUplink, server: Server) -> None:
    uplink.client.base_url = "http://127.0.0.1:1"
    with pytest.raises(UnavailableError, match="ConnectError"):
        uplink.content_info(JOB)


def test_a_redirect_is_not_followed(uplink: HttpUplink, server: Server) -> None:
    server.answer = lambda _asked: Answer(307, headers={"Location": f"{server.url}/elsewhere"})
    with pytest.raises(OutriderError):
        uplink.content_info(JOB)
    assert len(server.asked) == 1


def _skewed(server_time: datetime) -> Answer:
    answer = _problem(401, ErrorCode.CLOCK_SKEWED)
    return Answer(401, answer.body, {TIME_HEADER: server_time.isoformat()})


def _created(asked: Asked) -> int:
    return int(asked.request.headers["signature-input"].partition("created=")[2].partition(";")[0])


def test_a_wrong_clock_is_corrected_by_the_answer_and_stays_corrected(
    uplink: HttpUplink, server: Server, rig: Rig
) -> None:
    there = datetime.now(UTC) + timedelta(days=400)
    good = Answer(body=REPLY.to_json().encode())

    def answer(asked: Asked) -> Answer:
        return good if abs(_created(asked) - there.timestamp()) < 60 else _skewed(there)

    server.answer = answer
    assert uplink.check_in(_check_in(rig)) == REPLY
    assert uplink.check_in(_check_in(rig)) == REPLY
    assert len(server.asked) == 3


def test_a_clock_that_is_never_right_is_not_chased_for_ever(uplink: HttpUplink, server: Server, rig: Rig) -> None:
    server.answer = lambda _asked: _skewed(datetime.now(UTC))
    with pytest.raises(TrustError):
        uplink.check_in(_check_in(rig))
    assert len(server.asked) == 2


@pytest.mark.parametrize("said", ["", "yesterday", "2026-01-01T00:00:00"])
def test_a_time_that_is_none_corrects_nothing(uplink: HttpUplink, server: Server, rig: Rig, said: str) -> None:
    server.answer = lambda _asked: Answer(401, _problem(401, ErrorCode.CLOCK_SKEWED).body, {TIME_HEADER: said})
    with pytest.raises(TrustError):
        uplink.check_in(_check_in(rig))
    assert len(server.asked) == 1


def test_a_device_that_is_to_wait_sends_nothing_until_then(server: Server, rig: Rig, settings: AgentSettings) -> None:
    clock = ManualClock(datetime.now(UTC))
    server.answer = lambda _asked: Answer(429, headers={"Retry-After": "30"})
    with http_client(settings, base_url=server.url) as client:
        uplink = HttpUplink(client, rig.identity, clock)
        for _ in range(3):
            with pytest.raises(RateLimitedError):
                uplink.check_in(_check_in(rig))
        assert len(server.asked) == 1
        server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
        clock.advance(timedelta(seconds=30))
        assert uplink.check_in(_check_in(rig)) == REPLY


@pytest.mark.parametrize(("said", "seconds"), [({}, 5), ({"Retry-After": "soon"}, 5), ({"Retry-After": "1e9"}, 3600)])
def test_a_pause_is_bounded_whatever_is_said(
    uplink: HttpUplink, server: Server, said: dict[str, str], seconds: float
) -> None:
    server.answer = lambda _asked: Answer(429, headers=said)
    with pytest.raises(RateLimitedError) as caught:
        uplink.content_info(JOB)
    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize(("said", "version"), [("7", 7), ("", 1), ("-3", 1), ("9" * 40, 1), ("seven", 1)])
def test_the_newest_version_of_the_trusted_keys_comes_with_every_policy(
    uplink: HttpUplink, server: Server, said: str, version: int
) -> None:
    server.answer = lambda _asked: Answer(200, b"signed", {TRUSTED_KEYS_VERSION_HEADER: said})
    assert uplink.policy(JOB, known_digest=None).trusted_keys_version == version
    server.answer = lambda _asked: Answer(304, headers={TRUSTED_KEYS_VERSION_HEADER: said})
    assert uplink.policy(JOB, known_digest="0" * 64).trusted_keys_version == version


def test_what_follows_a_version_of_the_trusted_keys_is_asked_for(uplink: HttpUplink, server: Server) -> None:
    chain = (Roots().signed(4, {}), Roots().signed(5, {}))
    server.answer = lambda _asked: Answer(body=TrustedKeysReply(chain=chain).to_json().encode())
    assert uplink.trusted_keys(after=3).chain == chain
    assert server.asked[0].request.url.endswith("/v1/device/trusted-keys?after=3")
