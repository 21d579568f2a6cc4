"""Trusted keys as `outrider-control keys` prints them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from contract.trusted_keys import TrustedKeys
from control.cli.words import time_word
from control.security.key_office import Changed

#: From then on every look at the keys says that a new version is due.
_WARNING: Final = timedelta(days=60)


class PolicyKeyView(BaseModel):
    """A policy key; `here` says whether the signer of this control plane holds it."""

    model_config = ConfigDict(frozen=True)

    id: str
    not_after: datetime | None
    here: bool


class TrustView(BaseModel):
    """A version of the trusted keys; `root_key_here` is the one in the state folder."""

    model_config = ConfigDict(frozen=True)

    version: int
    issued_at: datetime
    expires_at: datetime
    policy_keys: tuple[PolicyKeyView, ...]
    root_keys: tuple[str, ...]
    threshold: int
    root_key_here: str | None = None


class ChangeView(TrustView):
    """A change of the trusted keys; with signatures missing, its draft is in a file."""

    published: bool
    missing_signatures: int
    draft: Path | None


def trust_view(
    trusted: TrustedKeys, *, signer_keys: Collection[str] = (), root_key_here: str | None = None
) -> TrustView:
    """The version, without the keys themselves."""
    return TrustView(
        version=trusted.version,
        issued_at=trusted.issued_at,
        expires_at=trusted.expires_at,
        policy_keys=tuple(
            PolicyKeyView(id=key_id, not_after=key.not_after, here=key_id in signer_keys)
            for key_id, key in trusted.policy_keys.items()
        ),
        root_keys=tuple(trusted.root_keys),
        threshold=trusted.threshold,
        root_key_here=root_key_here,
    )


def change_view(changed: Changed, draft: Path) -> ChangeView:
    """What came of a change whose draft would be in this file."""
    return ChangeView(
        **trust_view(changed.trusted).model_dump(),
        published=not changed.missing,
        missing_signatures=changed.missing,
        draft=draft if changed.missing else None,
    )


def trust_text(view: TrustView, now: datetime) -> str:
    """The version for a person."""
    lines = [f"Version {view.version} of the trusted keys, until {time_word(view.expires_at)}"]
    if view.expires_at - now < _WARNING:
        lines.append(
            "  Sign the next one in time with `outrider-control keys renew`: then devices refuse all policies."
        )
    lines += [f"  policy key {_policy_words(key)}" for key in view.policy_keys]
    lines += [f"  root key   {key_id}" for key_id in view.root_keys]
    lines.append(f"  {view.threshold} of {len(view.root_keys)} root keys have to sign the next version.")
    if view.root_key_here is not None:
        lines.append(f"  Root key {view.root_key_here} lies in the state folder: in production, take it elsewhere.")
    return "\n".join(lines)


def change_text(view: ChangeView, now: datetime) -> str:
    """What came of a change, for a person."""
    if view.published:
        return f"Published.\n{trust_text(view, now)}"
    return (
        f"Nothing has changed yet: {view.missing_signatures} more root keys have to sign {view.draft}:\n"
        f"  outrider-control keys sign {view.draft} --root-key FILE\n"
        f"  outrider-control keys publish {view.draft}"
    )


def _policy_words(key: PolicyKeyView) -> str:
    end = "" if key.not_after is None else f", good until {time_word(key.not_after)}"
    return f"{key.id}{', held by the signer here' if key.here else ''}{end}"
