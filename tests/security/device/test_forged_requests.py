"""A device's requests sent again, kept for later, or signed by another; and what whoever recorded them can do."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.http_signatures import TIME_HEADER
from contract.request_verification import MAX_AGE, MAX_CLOCK_SKEW
from contract.uplink import CHECK_IN_PATH, REPORTS_PATH
from control.database.tables import Role
from tests.security.conftest import RefusedBy
from tests.security.device.signed_requests import Enrolled, Headers, code, enrolled_id, recorded, refused

ATTACKER = "a device"

REPLAY = "sends a recorded request again"


@pytest.mark.attack(REPLAY)
def test_a_request_that_is_sent_again_is_refused_and_counted(
    client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy
) -> None:
    device = enrolled()
    request = recorded(device, CHECK_IN_PATH)
    before = refused("request-replayed")
    assert client.send(request).status_code != 401
    again = client.send(request)
    assert (again.status_code, code(again)) == (401, "request-replayed")
    assert refused("request-replayed") == before + 1
    refused_by(code(again))


@pytest.mark.guard_removed(REPLAY)
def test_without_the_memory_of_nonces_the_replay_would_have_worked(
    client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.security.nonces.ProcessNonces.note", lambda *_: True)
    request = recorded(enrolled(), CHECK_IN_PATH)
    assert client.send(request).status_code == client.send(request).status_code != 401


OLD = "keeps a signed request for later"


@pytest.mark.attack(OLD)
@pytest.mark.parametrize("off", [timedelta(minutes=7), -timedelta(minutes=6), timedelta(days=4000)])
def test_a_clock_that_is_off_is_told_the_time(
    client: httpx.Client, enrolled: Enrolled, off: timedelta, refused_by: RefusedBy
) -> None:
    device = enrolled()
    before = refused("clock-skewed")
    answer = client.send(recorded(device, now=datetime.now(UTC) - off))
    assert (answer.status_code, code(answer)) == (401, "clock-skewed")
    there = datetime.fromisoformat(answer.headers[TIME_HEADER])
    assert abs(there - datetime.now(UTC)) < timedelta(seconds=10)
    assert refused("clock-skewed") == before + 1
    refused_by(code(answer))


@pytest.mark.guard_removed(OLD)
def test_without_the_bounds_on_its_time_an_old_request_is_as_good_as_new(
    client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract.request_verification._Verifier.validate_created_and_expires", lambda *_, **__: None)
    assert code(client.send(recorded(enrolled(), now=datetime.now(UTC) - timedelta(days=4000)))) == "document-invalid"


@pytest.mark.parametrize(
    "off", [MAX_CLOCK_SKEW + MAX_AGE - timedelta(seconds=5), timedelta(seconds=5) - MAX_CLOCK_SKEW]
)
def test_a_clock_that_is_a_little_off_is_fine(client: httpx.Client, enrolled: Enrolled, off: timedelta) -> None:
    answer = client.send(recorded(enrolled(), now=datetime.now(UTC) - off))
    assert code(answer) == "document-invalid"


FORGERY = "speaks as another device"


@pytest.mark.attack(FORGERY)
def test_another_devices_name_under_ones_own_signature_is_refused(
    client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy
) -> None:
    mine, theirs = enrolled("mine"), enrolled("theirs")
    before = refused("signature-refused")
    answer = client.send(recorded(mine, key_id=theirs.device_id))
    assert (answer.status_code, code(answer)) == (401, "signature-refused")
    assert refused("signature-refused") == before + 1
    refused_by(code(answer))


@pytest.mark.attack(FORGERY)
def test_a_key_of_ones_own_making_is_refused(client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy) -> None:
    answer = client.send(recorded(enrolled(), key=Ed25519PrivateKey.generate()))
    assert (answer.status_code, code(answer)) == (401, "signature-refused")
    refused_by(code(answer))


@pytest.mark.attack(FORGERY)
def test_a_signature_for_another_address_is_refused(
    client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy
) -> None:
    headers = recorded(enrolled(), CHECK_IN_PATH).headers
    answer = client.post(REPORTS_PATH, content=b"{}", headers=headers)
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.attack(FORGERY)
@pytest.mark.parametrize("key_id", ["../../etc/passwd", "%2e%2e", "'; DROP TABLE devices; --", "a" * 5000, "\\"])
def test_an_id_that_is_none_is_refused(
    client: httpx.Client, enrolled: Enrolled, key_id: str, refused_by: RefusedBy
) -> None:
    request = recorded(enrolled())
    named = request.headers["Signature-Input"].replace(enrolled_id(request), key_id)
    request.headers.update(httpx.Headers([(b"Signature-Input", named.encode())]))
    answer = client.send(request)
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.guard_removed(FORGERY)
def test_without_the_signatures_check_a_name_is_enough(
    client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = enrolled("mine"), enrolled("theirs")

    def believes(_request: object, _body: bytes, public_key: Callable[[str], object]) -> tuple[str, str]:
        public_key(theirs.device_id)
        return theirs.device_id, uuid.uuid4().hex

    monkeypatch.setattr("control.fleet.device_auth.verify_request", believes)
    assert code(client.send(recorded(mine, key_id=theirs.device_id))) == "document-invalid"


def test_the_operator_sees_what_was_refused(client: httpx.Client, enrolled: Enrolled, operator: Headers) -> None:
    client.send(recorded(enrolled(), key=Ed25519PrivateKey.generate()))
    page = client.get("/metrics", headers=operator(Role.VIEWER)).text
    assert 'outrider_refused_requests_total{reason="signature-refused",side="device"}' in page
