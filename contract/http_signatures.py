"""Requests signed by a device: HTTP Message Signatures (RFC 9421) with Ed25519.

Covered are method, path, query and the digest of the body.
"""

import secrets
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from contract.error_codes import ErrorCode
from contract.errors import ClockSkewedError, TrustError

#: How long a signed request may be under way.
MAX_AGE: Final = timedelta(minutes=1)
#: How far the clocks of device and control plane may be apart.
MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
#: For how long after its arrival a request could be sent again; its nonce must be remembered for so long.
REPLAY_WINDOW: Final = MAX_AGE + 2 * MAX_CLOCK_SKEW

#: Header of a refusal for a wrong clock: the time to sign by, in ISO 8601.
TIME_HEADER: Final = "Outrider-Time"

_COMPONENTS = ("@method", "@path", "@query")
_REQUIRED_COMPONENTS = (*_COMPONENTS, "content-digest")
_NONCE_BYTES = 16


@dataclass(frozen=True)
class SignableRequest:
    """The parts of a request that a signature covers; `headers` takes the signature when signing."""

    method: str
    url: str
    headers: MutableMapping[str, str]


class _Keys(HTTPSignatureKeyResolver):
    def __init__(
        self, private: Ed25519PrivateKey | None = None, public: Callable[[str], Ed25519PublicKey] | None = None
    ) -> None:
        self._private = private
        self._public = public
        self.failure: Exception | None = None

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002  the library's signature
        if self._private is None:
            raise LookupError
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        if self._public is None:
            raise LookupError
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
    """Add `Content-Digest`, `Signature-Input` and `Signature` to the request's headers."""
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(private=key))
    signer.sign(
        request,
        key_id=key_id,
        created=now,
        nonce=secrets.token_urlsafe(_NONCE_BYTES),
        covered_component_ids=_COMPONENTS,
        body=body,
    )


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
    keys = _Keys(public=public_key)
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
