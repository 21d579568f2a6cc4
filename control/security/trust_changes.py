"""The next version of the trusted keys: what each change makes of the current one. Nothing here signs or stores."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contract.envelopes import key_id_of
from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.trusted_keys import PolicyKey, TrustedKeys


@dataclass(frozen=True)
class Term:
    """When a version is made, and for how long it is good."""

    now: datetime
    lifetime: timedelta


def first_version(policy_keys: Iterable[bytes], root_keys: Iterable[bytes], term: Term) -> TrustedKeys:
    """Version 1: all these policy keys sign, one of these root keys is enough."""
    return TrustedKeys(
        version=1,
        issued_at=term.now,
        expires_at=term.now + term.lifetime,
        policy_keys={key_id_of(key): PolicyKey(public_key=key) for key in policy_keys},
        root_keys={key_id_of(key): key for key in root_keys},
        threshold=1,
    )


def renewed(current: TrustedKeys, term: Term) -> TrustedKeys:
    """The same keys for another term, without policy keys whose time is over."""
    return _next(current, term)


def with_policy_key(current: TrustedKeys, public_key: bytes, term: Term, *, overlap: timedelta) -> TrustedKeys:
    """A policy key that signs from now on; what the ones before it signed is good for the overlap, or not at all.

    Raises:
        InputError: KEY_CHANGE_INVALID: it is trusted already.
    """
    key_id = key_id_of(public_key)
    if key_id in current.policy_keys:
        raise InputError(ErrorCode.KEY_CHANGE_INVALID, place=key_id, detail="this policy key is trusted already")
    until = term.now + overlap
    keys = {
        one: key
        if key.not_after is not None and key.not_after < until
        else PolicyKey(public_key=key.public_key, not_after=until)
        for one, key in current.policy_keys.items()
    }
    return _next(current, term, policy_keys={key_id: PolicyKey(public_key=public_key), **keys})


def without_policy_key(current: TrustedKeys, key_id: str, term: Term) -> TrustedKeys:
    """A policy key is revoked: nothing it signed, or will have signed, is good.

    Raises:
        InputError: KEY_CHANGE_INVALID: it is not trusted, or no other key is left to sign with.
    """
    if key_id not in current.policy_keys:
        raise InputError(ErrorCode.KEY_CHANGE_INVALID, place=key_id, detail="this policy key is not trusted")
    if set(current.signing_key_ids) <= {key_id}:
        detail = "no key would be left to sign with; put another in its place with `keys policy-rotate --revoke-old`"
        raise InputError(ErrorCode.KEY_CHANGE_INVALID, place=key_id, detail=detail)
    return _next(current, term, policy_keys={one: key for one, key in current.policy_keys.items() if one != key_id})


def with_root_keys(
    current: TrustedKeys, term: Term, *, add: Iterable[bytes], drop: Iterable[str], threshold: int
) -> TrustedKeys:
    """Other root keys sign from the version after this one on.

    Raises:
        InputError: KEY_CHANGE_INVALID: a key to drop is none, or fewer keys would be left than have to sign.
    """
    dropped = set(drop)
    if unknown := dropped - current.root_keys.keys():
        raise InputError(ErrorCode.KEY_CHANGE_INVALID, place=", ".join(sorted(unknown)), detail="not a root key")
    kept = {key_id: key for key_id, key in current.root_keys.items() if key_id not in dropped}
    roots = kept | {key_id_of(key): key for key in add}
    if not 1 <= threshold <= len(roots):
        detail = f"{threshold} have to sign, and there would be {len(roots)} root keys"
        raise InputError(ErrorCode.KEY_CHANGE_INVALID, detail=detail)
    return _next(current, term, root_keys=roots, threshold=threshold)


def _next(current: TrustedKeys, term: Term, **changes: Any) -> TrustedKeys:
    facts: dict[str, Any] = {
        "version": current.version + 1,
        "issued_at": term.now,
        "expires_at": term.now + term.lifetime,
        "policy_keys": current.policy_keys,
        "root_keys": current.root_keys,
        "threshold": current.threshold,
    }
    facts |= changes
    facts["policy_keys"] = _living(facts["policy_keys"], term.now)
    return TrustedKeys.model_validate(facts)


def _living(keys: Mapping[str, PolicyKey], now: datetime) -> dict[str, PolicyKey]:
    return {key_id: key for key_id, key in keys.items() if key.not_after is None or now < key.not_after}
