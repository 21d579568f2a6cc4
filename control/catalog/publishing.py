"""Publish a manifest: its revision and its assignments in one transaction, both or neither."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.rules import RunAsAccount
from control.catalog.assignments import assign
from control.catalog.delivery_words import checked, intent_of
from control.catalog.manifest import Manifest
from control.catalog.pins import deployed_revision
from control.catalog.policies import PolicyOffice
from control.catalog.revisions import add_revision
from control.database.session import lock_planning
from control.database.tables import App, Revision
from control.secrets.uses import note_uses, require_known

#: Where an agent can run a command in the name of whoever is logged on.
_USER_CONTEXT: Final = frozenset({"linux", "macos"})


def publish_manifest(
    session: Session,
    manifest: Manifest,
    package_digest: str,
    *,
    policies: PolicyOffice,
    now: datetime,
    hold: bool = False,
) -> tuple[Revision, bool]:
    """Make the revision, and each assignment of the manifest; publishing the same again changes nothing.

    Assignments that the manifest does not name stay as they are.

    Args:
        session: The transaction.
        manifest: The manifest.
        package_digest: Its package.
        policies: Signs the revision's policies.
        now: The time.
        hold: Keep deploying what is deployed before it; of an app that is new, nothing.

    Returns:
        The revision, and whether it is new.

    Raises:
        NotFoundError: There is no such package, secret or group.
        InputError: USER_CONTEXT_IMPOSSIBLE: no device could ever install it.
    """
    _check_context(manifest)
    lock_planning(session)
    deployed = _deployed_before(session, manifest.name)
    revision, created = add_revision(session, manifest, package_digest, policies=policies, now=now)
    require_known(session, manifest)
    if created:
        note_uses(session, revision, manifest)
    if created and hold:
        session.get_one(App, revision.app_id).pinned_revision = deployed
    for entry in manifest.assignments:
        intent = intent_of(entry.intent, entry.mode)
        terms = checked(intent, entry, place=f"assignments: {entry.group}")
        assign(session, manifest.name, entry.group, intent, now, terms=terms)
    return revision, created


def _deployed_before(session: Session, name: str) -> int:
    app = session.scalar(select(App).where(App.name == name))
    return 0 if app is None else deployed_revision(session, app)


def _check_context(manifest: Manifest) -> None:
    """Refuse what the original lets pass and then never installs, without a word (behaviour 2.8, part 3 row 16)."""
    systems = frozenset(manifest.operating_systems)
    if manifest.install_experience.run_as_account is RunAsAccount.USER and systems and not systems & _USER_CONTEXT:
        detail = f"operatingSystems is {', '.join(sorted(systems))}; agents can on {', '.join(sorted(_USER_CONTEXT))}"
        raise InputError(ErrorCode.USER_CONTEXT_IMPOSSIBLE, detail=detail, place="installExperience.runAsAccount")
