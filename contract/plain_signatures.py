"""The one form of a signed request that devices send, verified at a quarter of the general reader's cost.

It is RFC 9421 with no choice left: these four components in this order, these four parameters, one label, nothing
escaped, a path and a query that need no normalisation. Whatever is written otherwise, or does not hold, is left to the
library in `contract.request_verification`, which reads every form and says what is wrong: what is accepted here is
accepted there, too, and nothing is refused here.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: A label, then what is signed of it: components, and when, by whom, how and with which nonce.
_INPUT: Final = re.compile(
    r'([a-z]+)=(\("@method" "@path" "@query" "content-digest"\);created=([0-9]{1,12});keyid="([A-Za-z0-9-]+)"'
    r';alg="ed25519";nonce="([A-Za-z0-9_-]+)")'
)
_SIGNATURE: Final = re.compile(r"([a-z]+)=:([A-Za-z0-9+/]{86}==):")
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
_METHOD: Final = re.compile(r"[A-Z]+")
_URL: Final = re.compile(
    r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::[1-9][0-9]{1,3}|:[1-5][0-9]{4})?(/[A-Za-z0-9/_-]*)(\?[A-Za-z0-9=&_-]+)?"
)


class _Request(Protocol):
    """A request as it was received."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


def verify_plain(
    request: _Request,
    body: bytes,
    public_key: Callable[[str], Ed25519PublicKey],
    *,
    now: datetime,
    max_age: timedelta,
    max_clock_skew: timedelta,
) -> tuple[str, str] | None:
    """The signer's key id and the nonce, where the request has the plain form and everything of it holds.

    Args:
        request: Method, URL and headers as received.
        body: As received.
        public_key: Finds the key of an id; raises LookupError where there is none. What else it raises comes through.
        now: The time.
        max_age: How long the request may have been under way.
        max_clock_skew: How far the signer's clock may be off.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    signed = _INPUT.fullmatch(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    digest = _DIGEST.fullmatch(headers.get("content-digest", ""))
    target = _URL.fullmatch(request.url)
    if len(headers) < len(request.headers):
        return None
    if not (signed and signature and digest and target and _METHOD.fullmatch(request.method)):
        return None
    label, parameters, created, key_id, nonce = signed.groups()
    age = now.timestamp() - int(created)
    is_timely = -max_clock_skew.total_seconds() <= age <= (max_age + max_clock_skew).total_seconds()
    if not is_timely or label != signature[1] or not _is_digest(digest[1], body):
        return None
    base = (
        f'"@method": {request.method}\n"@path": {target[1]}\n"@query": {target[2] or "?"}\n'
        f'"content-digest": {digest[0]}\n"@signature-params": {parameters}'
    )
    try:
        public_key(key_id).verify(base64.b64decode(signature[2]), base.encode())
    except (InvalidSignature, LookupError):
        return None
    return key_id, nonce


def _is_digest(text: str, body: bytes) -> bool:
    return hmac.compare_digest(base64.b64decode(text), hashlib.sha256(body).digest())
