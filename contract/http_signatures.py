"""Requests signed by a device: HTTP Message Signatures (RFC 9421) with Ed25519.

Covered are method, path, query and the digest of the body.
"""

import secrets
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from contract.error_codes import ErrorCode
from contract.errors import TrustError

#: How old a signed request may be, and how far a device's clock may be off.
MAX_AGE: Final = timedelta(minutes=5)

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

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002  the library's signature
        if self._private is None:
            raise LookupError
        return self._private

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        if self._public is None:
            raise LookupError
        return self._public(key_id)


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
        public_key: Finds the key of an id; raises LookupError where there is none.

    Raises:
        TrustError: Unsigned, signed by nobody known, changed on the way, too old or from the future.
    """
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(public=public_key))
    verifier.max_clock_skew = MAX_AGE
    try:
        (result,) = verifier.verify(request, max_age=MAX_AGE, body=body, require_components=_REQUIRED_COMPONENTS)
    except (HTTPMessageSignaturesException, LookupError, ValueError) as error:
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail=str(error)) from error
    return str(result.parameters["keyid"]), str(result.parameters.get("nonce", ""))
