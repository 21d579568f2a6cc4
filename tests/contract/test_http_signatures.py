"""A request signed as devices sign it, beside the same one signed by a library of RFC 9421."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.http_signatures import SignableRequest, sign_request
from contract.request_verification import verify_request

KEY = Ed25519PrivateKey.generate()
DEVICE = "0b9c7f2e-1111-4222-8333-444455556666"

paths = st.sampled_from(["/v1/device/check-in", f"/v1/device/jobs/{DEVICE}/policy", "/v1/device/apps", "/a%20b/c;d=1"])
queries = st.sampled_from(["", "?", "?generation=3", "?after=a%26b&app=", "?after=%C3%A4&app=x+y"])
moments = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001  hypothesis adds the zone itself
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


class _Own(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        assert key_id == DEVICE
        return KEY

    def resolve_public_key(self, key_id: str) -> Any:
        raise LookupError(key_id)


def _request(method: str, address: str, body: bytes) -> SignableRequest:
    request = httpx.Request(method, f"https://control.example:8443{address}", content=body)
    return SignableRequest(method, str(request.url), request.headers)


@settings(deadline=None)
@given(method=st.sampled_from(["GET", "POST"]), path=paths, query=queries, body=st.binary(max_size=200), now=moments)
def test_the_library_signs_the_same(method: str, path: str, query: str, body: bytes, now: datetime) -> None:
    ours, theirs = _request(method, path + query, body), _request(method, path + query, body)
    sign_request(ours, body, key=KEY, key_id=DEVICE, now=now)
    said = re.fullmatch('device=(.*;nonce="([^"]+)")', ours.headers["Signature-Input"])
    assert said is not None
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Own()).sign(
        theirs,
        key_id=DEVICE,
        created=now,
        nonce=said[2],
        label="device",
        covered_component_ids=("@method", "@path", "@query"),
        body=body,
    )
    names = ("Content-Digest", "Signature-Input", "Signature")
    assert [ours.headers[name] for name in names] == [theirs.headers[name] for name in names]


def test_no_nonce_comes_twice() -> None:
    made = set()
    for _ in range(100):
        request = _request("POST", "/v1/device/progress", b"{}")
        sign_request(request, b"{}", key=KEY, key_id=DEVICE, now=datetime.now(UTC))
        signed_by, nonce = verify_request(request, b"{}", lambda _: KEY.public_key())
        assert signed_by == DEVICE
        made.add(nonce)
    assert len(made) == 100
