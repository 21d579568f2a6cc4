"""The plain form of a signed request: devices sign in it, and what passes by it passes by the library, too."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import request_verification, uplink
from contract.errors import TrustError
from contract.http_signatures import SignableRequest, sign_request
from contract.plain_signatures import verify_plain
from contract.request_verification import MAX_AGE, MAX_CLOCK_SKEW, verify_request

KEY = Ed25519PrivateKey.generate()
DEVICE = "11111111-2222-3333-4444-555555555555"
BODY = b'{"a": 1}'


def public_key(key_id: str) -> Ed25519PublicKey:
    return {DEVICE: KEY.public_key()}[key_id]


def signed(
    method: str = "POST", url: str = "https://c.example/v1/a?b=1", body: bytes = BODY, age: timedelta = timedelta()
) -> SignableRequest:
    request = SignableRequest(method, url, {})
    sign_request(request, body, key=KEY, key_id=DEVICE, now=datetime.now(UTC) - age)
    return request


def plain(request: SignableRequest, body: bytes = BODY) -> tuple[str, str] | None:
    """By the plain form alone."""
    limits = {"max_age": MAX_AGE, "max_clock_skew": MAX_CLOCK_SKEW}
    return verify_plain(request, body, public_key, now=datetime.now(UTC), **limits)


def general(request: SignableRequest, body: bytes = BODY) -> tuple[str, str] | None:
    """By the library alone."""
    with patch.object(request_verification, "verify_plain", lambda *_, **__: None):
        try:
            return verify_request(request, body, public_key)
        except TrustError:
            return None


ROUTES = [path for name, path in vars(uplink).items() if name.endswith("_PATH")]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("query", ["", "?generation=12", "?after=3"])
def test_every_route_of_devices_is_signed_in_the_plain_form(path: str, query: str) -> None:
    request = signed(url="http://127.0.0.1:8080" + path.format(job_id=DEVICE) + query)
    assert plain(request) is not None
    assert plain(request) == general(request)


def test_a_request_without_a_body_has_the_plain_form() -> None:
    request = signed("GET", body=b"")
    assert plain(request, b"") is not None
    assert plain(request, b"") == general(request, b"")


def changed(name: str, old: str, new: str) -> SignableRequest:
    request = signed()
    assert re.search(old, request.headers[name])
    request.headers[name] = re.sub(old, new, request.headers[name], count=1)
    return request


@pytest.mark.parametrize(
    ("make", "body"),
    [
        (signed, b"another body"),
        (lambda: SignableRequest("GET", "https://c.example/v1/a?b=1", signed().headers), BODY),
        (lambda: SignableRequest("POST", "https://c.example/v1/z?b=1", signed().headers), BODY),
        (lambda: SignableRequest("POST", "https://c.example/v1/a?b=2", signed().headers), BODY),
        (lambda: SignableRequest("POST", "https://c.example/v1/a", signed().headers), BODY),
        (lambda: SignableRequest("POST", "https://c.example/v1/a?b=1", {}), BODY),
        (lambda: changed("Signature-Input", 'nonce="', 'nonce="x'), BODY),
        (lambda: changed("Signature-Input", '"@query" ', ""), BODY),
        (lambda: changed("Signature-Input", "ed25519", "hmac-sha256"), BODY),
        (lambda: changed("Signature-Input", "created=1", "created=2"), BODY),
        (lambda: changed("Signature-Input", "^device", "other"), BODY),
        (lambda: changed("Signature", "=:....", "=:AAAA"), BODY),
        (lambda: changed("Content-Digest", "=:....", "=:AAAA"), BODY),
    ],
)
def test_what_does_not_hold_passes_by_neither(make: Callable[[], SignableRequest], body: bytes) -> None:
    request = make()
    assert plain(request, body) is None
    assert general(request, body) is None


@pytest.mark.parametrize("age", [MAX_AGE + MAX_CLOCK_SKEW, -MAX_CLOCK_SKEW])
@pytest.mark.parametrize(("beyond", "is_let_in"), [(timedelta(seconds=20), False), (-timedelta(seconds=20), True)])
def test_what_is_too_old_or_too_new_passes_by_neither(age: timedelta, beyond: timedelta, *, is_let_in: bool) -> None:
    request = signed(age=age + (beyond if age > timedelta() else -beyond))
    assert (plain(request) is not None) is is_let_in
    assert (general(request) is not None) is is_let_in


#: What an attacker may put anywhere: pieces of the form itself, and what surrounds its edges.
_PIECES = st.sampled_from(
    [
        "",
        " ",
        "\t",
        "\n",
        '"',
        "\\",
        ";",
        ",",
        "?",
        "&",
        "=",
        ":",
        "%2f",
        "/..",
        "//",
        "é",
        "\0",
        "pyhms",
        "sig2=:AA==:",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    where=st.sampled_from(["Signature-Input", "Signature", "Content-Digest", "url", "method", "body"]),
    at=st.integers(0, 400),
    cut=st.integers(0, 3),
    piece=_PIECES,
)
def test_what_passes_by_the_plain_form_passes_by_the_library(where: str, at: int, cut: int, piece: str) -> None:
    request, body = signed(), BODY
    if where == "body":
        body = (body[:at] + piece.encode() + body[at + cut :])[:100]
    elif where in {"url", "method"}:
        text = getattr(request, where)
        parts = {"method": request.method, "url": request.url, where: text[:at] + piece + text[at + cut :]}
        request = SignableRequest(parts["method"], parts["url"], request.headers)
    else:
        text = request.headers[where]
        request.headers[where] = text[:at] + piece + text[at + cut :]
    accepted = plain(request, body)
    assert accepted is None or accepted == general(request, body)


@settings(max_examples=100, deadline=None)
@given(query=st.text("abc019=&_-", min_size=1, max_size=20), path=st.text("abc019/_-", max_size=20))
def test_any_path_and_query_of_the_plain_form_are_read_as_the_library_signs_them(path: str, query: str) -> None:
    request = signed(url=f"https://c.example/{path}?{query}")
    assert plain(request) == general(request) != None  # noqa: E711  both, and neither refuses


def test_a_signature_of_another_length_is_left_to_the_library() -> None:
    request = signed()
    request.headers["Signature"] = f"device=:{base64.b64encode(bytes(63)).decode()}:"
    assert plain(request) is None
