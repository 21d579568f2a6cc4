"""Signed requests of devices, verified: those of `contract.http_signatures`, in any form that RFC 9421 allows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from contract.error_codes import ErrorCode
from contract.errors import ClockSkewedError, TrustError
from contract.http_signatures import REQUIRED_COMPONENTS, SignableRequest
from contract.plain_signatures import verify_plain

#: How long a signed request may be under way.
MAX_AGE: Final = timedelta(minutes=1)
#: How far the clocks of device and control plane may be apart.
MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
#: For how long after its arrival a request could be sent again; its nonce must be remembered for so long.
REPLAY_WINDOW: Final = MAX_AGE + 2 * MAX_CLOCK_SKEW


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
        (result,) = verifier.verify(request, max_age=MAX_AGE, body=body, require_components=REQUIRED_COMPONENTS)
    except (HTTPMessageSignaturesException, LookupError, ValueError) as error:
        if keys.failure is not None:
            raise keys.failure from None
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail=str(error)) from error
    nonce = str(result.parameters.get("nonce", ""))
    if not nonce:
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail="expected a nonce")
    return str(result.parameters["keyid"]), nonce


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
