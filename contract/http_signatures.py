"""Requests signed by a device: HTTP Message Signatures (RFC 9421) with Ed25519.

Covered are method, path, query and the digest of the body.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from contract.error_codes import ErrorCode
from contract.errors import ClockSkewedError, TrustError
from contract.plain_signatures import verify_plain

#: How long a signed request may be under way.
MAX_AGE: Final = timedelta(minutes=1)
#: How far the clocks of device and control plane may be apart.
MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
#: For how long after its arrival a request could be sent again; its nonce must be remembered for so long.
REPLAY_WINDOW: Final = MAX_AGE + 2 * MAX_CLOCK_SKEW

#: Header of a refusal for a wrong clock: the time to sign by, in ISO 8601.
TIME_HEADER: Final = "Outrider-Time"

_REQUIRED_COMPONENTS = ("@method", "@path", "@query", "content-digest")
#: What a device calls its one signature of a request.
_LABEL = "device"
_NONCE_BYTES = 16


@dataclass(frozen=True)
class SignableRequest:
    """The parts of a request that a signature covers; `headers` takes the signature when signing."""

    method: str
    url: str
    headers: MutableMapping[str, str]


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, public: Callable[[str], Ed25519PublicKey]) -> None:
        self._public = public
        self.failure: Exception | None = None

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        try:
            return self._public(key_id)
        except LookupError:
            raise
        except Exception as error:
            # The library makes a bad signature of whatever happens here.
            self.failure = error
            raise


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = MAX_CLOCK_SKEW

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        try:
            super().validate_created_and_expires(sig_input, max_age)  # type: ignore[no-untyped-call]  # the library's
        except InvalidSignature as error:
            if "created" not in sig_input.params:
                raise
            raise ClockSkewedError(datetime.now(UTC), detail=str(error)) from error


def sign_request(request: SignableRequest, body: bytes, *, key: Ed25519PrivateKey, key_id: str, now: datetime) -> None:
    """Add `Content-Digest`, `Signature-Input` and `Signature` to the request's headers.

    The signature's base (RFC 9421, 2.5) is written out here, for it always has the same four lines: the library takes
    ten times as long, which was a third of what a device's job costs. Tests compare the two.
    """
    url = urlsplit(request.url)
    digest = f"sha-256=:{_base64(hashlib.sha256(body).digest())}:"
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    covered = " ".join(f'"{name}"' for name in _REQUIRED_COMPONENTS)
    parameters = f'({covered});created={int(now.timestamp())};keyid="{key_id}";alg="ed25519";nonce="{nonce}"'
    values = (request.method, url.path, f"?{url.query}", digest, parameters)
    names = (*_REQUIRED_COMPONENTS, "@signature-params")
    base = "\n".join(f'"{name}": {value}' for name, value in zip(names, values, strict=True))
    request.headers["Content-Digest"] = digest
    request.headers["Signature-Input"] = f"{_LABEL}={parameters}"
    request.headers["Signature"] = f"{_LABEL}=:{_base64(key.sign(base.encode()))}:"


def verify_request(
    request: SignableRequest, body: bytes, public_key: Callable[[str], Ed25519PublicKey]
) -> tuple[str, str]:
    """Who signed the request: its key id, and the nonce that makes it unique.

    Args:
        request: Method, URL and headers as received.
        body: The body as received, before any parsing.
        public_key: Finds the key of an id; raises LookupError where there is none. What else it raises comes through:
            that a key cannot be looked up now says nothing about the signature.

    Raises:
        ClockSkewedError: Signed too long ago, or in the future.
        TrustError: Unsigned, signed by nobody known, changed on the way, or without a nonce.
    """
    limits = {"max_age": MAX_AGE, "max_clock_skew": MAX_CLOCK_SKEW}
    plain = verify_plain(request, body, public_key, now=datetime.now(UTC), **limits)
    if plain is not None:
        return plain
    keys = _Keys(public_key)
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
    try:
        (result,) = verifier.verify(request, max_age=MAX_AGE, body=body, require_components=_REQUIRED_COMPONENTS)
    except (HTTPMessageSignaturesException, LookupError, ValueError) as error:
        if keys.failure is not None:
            raise keys.failure from None
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail=str(error)) from error
    nonce = str(result.parameters.get("nonce", ""))
    if not nonce:
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail="expected a nonce")
    return str(result.parameters["keyid"]), nonce


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
