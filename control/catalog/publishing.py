"""Publish a manifest: its revision and its assignments in one transaction, both or neither."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.rules import RunAsAccount
from control.catalog.assignments import assign
from control.catalog.delivery_words import checked, intent_of
from control.catalog.manifest import Manifest
from control.catalog.policies import PolicyOffice
from control.catalog.revisions import add_revision
from control.database.tables import Revision
from control.secrets.uses import note_uses, require_known

#: Where an agent can run a command in the name of whoever is logged on.
_USER_CONTEXT: Final = frozenset({"linux", "macos"})


def publish_manifest(
    session: Session, manifest: Manifest, package_digest: str, *, policies: PolicyOffice, now: datetime
) -> tuple[Revision, bool]:
    """Make the revision, and each assignment of the manifest; publishing the same again changes nothing.

    Assignments that the manifest does not name stay as they are.

    Returns:
        The revision, and whether it is new.

    Raises:
        NotFoundError: There is no such package, secret or group.
        InputError: USER_CONTEXT_IMPOSSIBLE: no device could ever install it.
    """
    _check_context(manifest)
    revision, created = add_revision(session, manifest, package_digest, policies=policies, now=now)
    require_known(session, manifest)
    if created:
        note_uses(session, revision, manifest)
    for entry in manifest.assignments:
        intent = intent_of(entry.intent, entry.mode)
        terms = checked(intent, entry, place=f"assignments: {entry.group}")
        assign(session, manifest.name, entry.group, intent, now, terms=terms)
    return revision, created


def _check_context(manifest: Manifest) -> None:
    """Refuse what the original lets pass and then never installs, without a word (behaviour 2.8, part 3 row 16)."""
    systems = frozenset(manifest.operating_systems)
    if manifest.install_experience.run_as_account is RunAsAccount.USER and systems and not systems & _USER_CONTEXT:
        detail = f"operatingSystems is {', '.join(sorted(systems))}; agents can on {', '.join(sorted(_USER_CONTEXT))}"
        raise InputError(ErrorCode.USER_CONTEXT_IMPOSSIBLE, detail=detail, place="installExperience.runAsAccount")
