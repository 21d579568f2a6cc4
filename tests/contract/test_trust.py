"""Envelopes, seals and signed requests: what holds, and what does not."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.documents import Document
from contract.envelopes import Signature, SignedEnvelope, countersigned, draft, key_id_of, sign, signers, with_signature
from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.http_signatures import SignableRequest, sign_request
from contract.request_verification import REPLAY_WINDOW, verify_request
from contract.sealing import seal, unseal


class Order(Document):
    """A document of this test."""

    text: str


class Other(Document):
    """Of the same shape, but another kind."""

    text: str


KEY = Ed25519PrivateKey.generate()
KEY_ID = key_id_of(KEY.public_key().public_bytes_raw())
TRUSTED = {KEY_ID: KEY.public_key()}


def test_a_signed_document_comes_out_as_it_went_in() -> None:
    envelope = SignedEnvelope.from_json(sign(Order(text="go"), KEY).to_json())
    assert signers(envelope, Order, TRUSTED) == {KEY_ID}
    assert Order.from_json(envelope.payload) == Order(text="go")


def test_a_key_that_signs_twice_is_one_signer() -> None:
    envelope = countersigned(sign(Order(text="go"), KEY), Order, KEY)
    assert len(envelope.signatures) == 1
    doubled = envelope.model_copy(update={"signatures": envelope.signatures * 2})
    assert signers(doubled, Order, TRUSTED) == {KEY_ID}


def test_every_key_that_signed_is_a_signer() -> None:
    other = Ed25519PrivateKey.generate()
    other_id = key_id_of(other.public_key().public_bytes_raw())
    envelope = sign(Order(text="go"), KEY, other)
    assert signers(envelope, Order, {**TRUSTED, other_id: other.public_key()}) == {KEY_ID, other_id}


def test_nobody_has_signed_a_draft() -> None:
    assert signers(draft(Order(text="go")), Order, TRUSTED) == set()


@pytest.mark.parametrize(
    "envelope",
    [
        sign(Order(text="go"), Ed25519PrivateKey.generate()),
        with_signature(draft(Order(text="go")), Signature(key_id=KEY_ID, signature=bytes(64))),
        sign(Other(text="go"), KEY),
        sign(Order(text="go"), KEY).model_copy(update={"payload": b'{"text": "stop"}'}),
    ],
    ids=["another key", "another signature", "another kind of document", "a changed payload"],
)
def test_a_document_that_is_not_signed_as_such_has_no_signer(envelope: SignedEnvelope) -> None:
    assert signers(envelope, Order, TRUSTED) == set()


def test_a_seal_opens_for_its_recipient_and_context_only() -> None:
    device = X25519PrivateKey.generate()
    sealed = seal(b"content key", device.public_key(), b"job 1")
    assert unseal(sealed, device, b"job 1") == b"content key"
    for key, context, data in (
        (X25519PrivateKey.generate(), b"job 1", sealed),
        (device, b"job 2", sealed),
        (device, b"job 1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (device, b"job 1", b""),
    ):
        with pytest.raises(TrustError) as refused:
            unseal(data, key, context)
        assert refused.value.code is ErrorCode.SEAL_BROKEN


def _public_key(key_id: str) -> Ed25519PublicKey:
    return {"device": KEY.public_key()}[key_id]


def _signed(method: str = "POST", url: str = "https://c/v1/a?b=1", *, age: timedelta = timedelta()) -> SignableRequest:
    request = SignableRequest(method, url, {})
    sign_request(request, b"body", key=KEY, key_id="device", now=datetime.now(UTC) - age)
    return request


def test_a_signed_request_names_its_signer() -> None:
    key_id, nonce = verify_request(_signed(), b"body", _public_key)
    assert key_id == "device"
    assert len(nonce) > 16


def test_no_two_requests_carry_the_same_nonce() -> None:
    nonces = {verify_request(_signed(), b"body", _public_key)[1] for _ in range(20)}
    assert len(nonces) == 20


def test_a_proxy_may_change_host_and_scheme() -> None:
    request = SignableRequest("POST", "http://127.0.0.1:1/v1/a?b=1", _signed().headers)
    assert verify_request(request, b"body", _public_key)[0] == "device"


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (_signed(), b"another body"),
        (SignableRequest("GET", "https://c/v1/a?b=1", _signed().headers), b"body"),
        (SignableRequest("POST", "https://c/v1/z?b=1", _signed().headers), b"body"),
        (SignableRequest("POST", "https://c/v1/a?b=2", _signed().headers), b"body"),
        (SignableRequest("POST", "https://c/v1/a?b=1", {}), b"body"),
        (SignableRequest("POST", "https://c/v1/a?b=1", {**_signed().headers, "Signature": "x=:AA==:"}), b"body"),
    ],
    ids=["body", "method", "path", "query", "unsigned", "another signature"],
)
def test_a_request_that_is_not_as_signed_is_refused(request_: SignableRequest, body: bytes) -> None:
    with pytest.raises(TrustError) as refused:
        verify_request(request_, body, _public_key)
    assert refused.value.code is ErrorCode.SIGNATURE_REFUSED


@pytest.mark.parametrize("age", [REPLAY_WINDOW, -REPLAY_WINDOW], ids=["too old", "from the future"])
def test_a_request_of_another_time_is_refused(age: timedelta) -> None:
    with pytest.raises(TrustError) as refused:
        verify_request(_signed(age=age), b"body", _public_key)
    assert refused.value.code is ErrorCode.CLOCK_SKEWED


def test_a_request_of_a_stranger_is_refused() -> None:
    request = SignableRequest("GET", "https://c/v1/a", {})
    sign_request(request, b"", key=KEY, key_id="stranger", now=datetime.now(UTC))
    with pytest.raises(TrustError):
        verify_request(request, b"", _public_key)


def test_a_key_that_cannot_be_looked_up_now_does_not_make_the_signature_a_bad_one() -> None:
    def database_is_away(_key_id: str) -> Ed25519PublicKey:
        raise ConnectionError("the database does not answer")

    with pytest.raises(ConnectionError):
        verify_request(_signed(), b"body", database_is_away)
