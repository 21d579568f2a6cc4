"""The chain of trusted keys: each version signed by the roots before it and by its own, none skipped, none again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import Signature, SignedEnvelope, draft, sign, with_signature
from contract.error_codes import ErrorCode
from contract.errors import DocumentError, TrustError
from contract.trusted_keys import TrustedKeys, first_trust, follow, missing_signatures, next_trust
from tests.support.trust import BEGAN, Roots, by_id, key_id, policy_keys, public

A, B, C, D = (Ed25519PrivateKey.generate() for _ in range(4))
POLICY = policy_keys(Ed25519PrivateKey.generate())
ONE = Roots(A)


def version(number: int, *roots: Ed25519PrivateKey, threshold: int = 1, **changes: Any) -> TrustedKeys:
    return ONE.version(number, POLICY, root_keys=by_id(*roots), threshold=threshold, **changes)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(TrustError) as error:
        call()
    assert error.value.code is ErrorCode.TRUSTED_KEYS_REFUSED
    return error.value.detail


# --- the first --------------------------------------------------------------------------------------------------------


def test_the_first_version_is_signed_by_its_own_root_keys() -> None:
    assert first_trust(sign(version(1, A), A)) == version(1, A)
    assert first_trust(sign(version(9, A, B, C, threshold=2), A, C)).version == 9


@pytest.mark.parametrize(
    "envelope",
    [draft(version(1, A)), sign(version(1, A), B), sign(version(1, A, B, threshold=2), A)],
    ids=["unsigned", "signed by another", "signed by too few"],
)
def test_a_first_version_that_its_root_keys_did_not_sign_is_refused(envelope: SignedEnvelope) -> None:
    refused(lambda: first_trust(envelope))


def test_a_key_that_signs_twice_counts_once() -> None:
    once = sign(version(1, A, B, threshold=2), A)
    twice = once.model_copy(update={"signatures": once.signatures * 2})
    refused(lambda: first_trust(twice))


def test_a_key_cannot_stand_under_two_ids() -> None:
    with pytest.raises(ValueError, match="not the ids of their keys"):
        ONE.version(1, POLICY, root_keys={key_id(A): public(A), "0" * 32: public(A)}, threshold=2)


@pytest.mark.parametrize("changes", [{"threshold": 2}, {"threshold": 0}, {"root_keys": {}}])
def test_a_version_that_nobody_could_ever_sign_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        ONE.version(1, POLICY, **changes)


# --- the next ---------------------------------------------------------------------------------------------------------


def test_the_next_version_is_signed_by_the_same_root_key() -> None:
    assert next_trust(version(1, A), sign(version(2, A), A)).version == 2


def test_a_root_key_is_exchanged_by_both() -> None:
    assert next_trust(version(1, A), sign(version(2, B), A, B)).root_keys == by_id(B)


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        (sign(version(2, B), B), "after version 1"),
        (sign(version(2, B), A), "version 2:"),
        (sign(version(2, A, B, threshold=2), A), "version 2:"),
        (draft(version(2, A)), "after version 1"),
        (sign(version(1, A), A), "expected 2"),
        (sign(version(3, A), A), "expected 2"),
    ],
    ids=["the new root alone", "the old root alone", "too few new roots", "nobody", "the same version", "one skipped"],
)
def test_what_is_not_the_next_version_is_refused(envelope: SignedEnvelope, said: str) -> None:
    assert said in refused(lambda: next_trust(version(1, A), envelope))


def test_a_threshold_holds_for_the_next_version_though_that_asks_for_less() -> None:
    current = version(1, A, B, C, threshold=2)
    refused(lambda: next_trust(current, sign(version(2, A), A)))
    assert next_trust(current, sign(version(2, A), A, B)).threshold == 1


def test_a_signature_of_a_policy_key_does_not_count() -> None:
    key = Ed25519PrivateKey.generate()
    envelope = sign(ONE.version(2, policy_keys(key)), key)
    refused(lambda: next_trust(version(1, A), envelope))


def test_what_the_root_key_signed_as_another_kind_is_no_version() -> None:
    envelope = draft(version(2, A))
    other = Signature(key_id=key_id(A), signature=A.sign(b"outrider-policy-1\0" + envelope.payload))
    refused(lambda: next_trust(version(1, A), with_signature(envelope, other)))


def test_what_the_root_key_signed_and_nobody_understands_is_a_document_error() -> None:
    envelope = SignedEnvelope(payload=b"{}", signatures=())
    signature = Signature(key_id=key_id(A), signature=A.sign(b"outrider-trustedkeys-1\0{}"))
    with pytest.raises(DocumentError):
        next_trust(version(1, A), with_signature(envelope, signature))


def test_an_expired_version_is_a_step_like_any_other() -> None:
    past: dict[str, Any] = {"expires_at": BEGAN}
    chain = [sign(version(number, A, **past), A) for number in (2, 3)]
    assert follow(version(1, A), [*chain, sign(version(4, A), A)]).version == 4


def test_a_chain_of_exchanged_roots_is_followed_to_its_end() -> None:
    chain = [sign(version(2, B), A, B), sign(version(3, C), B, C), sign(version(4, D), C, D)]
    assert follow(version(1, A), chain).root_keys == by_id(D)
    refused(lambda: follow(version(1, A), [chain[0], chain[2]]))


def test_missing_signatures_are_counted() -> None:
    trusted = version(1, A, B, C, threshold=3)
    assert [missing_signatures(sign(trusted, *keys), trusted) for keys in ((), (A,), (A, D), (A, B, C))] == [3, 2, 2, 0]


# --- policy keys ------------------------------------------------------------------------------------------------------


def test_keys_whose_time_is_over_neither_sign_nor_verify() -> None:
    ending = Ed25519PrivateKey.generate()
    keys = policy_keys(ending, not_after=BEGAN + timedelta(days=1))
    trusted = ONE.version(1, {**POLICY, **keys})
    assert trusted.policy_verifiers(BEGAN).keys() == {*POLICY, key_id(ending)}
    assert trusted.policy_verifiers(BEGAN + timedelta(days=1)).keys() == POLICY.keys()
    assert trusted.signing_key_ids == tuple(POLICY)
