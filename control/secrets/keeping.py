"""Setting, finding and deleting secrets."""

from datetime import datetime

from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError
from control.database.session import lock_planning
from control.database.tables import Secret
from control.secrets.uses import apps_asking
from control.secrets.vault import SecretVault


def set_secret(session: Session, vault: SecretVault, name: str, value: str, now: datetime) -> Secret:
    """Keep a value as the secret's newest version; the one before is gone for good."""
    # Two who set one secret would otherwise count up to the same version.
    lock_planning(session)
    secret = session.get(Secret, name)
    if secret is None:
        secret = Secret(name=name, version=0, wrapped=b"", created_at=now, changed_at=now)
        session.add(secret)
    secret.version += 1
    secret.wrapped = vault.wrap(name, secret.version, value)
    secret.changed_at = now
    session.flush()
    return secret


def find_secret(session: Session, name: str) -> Secret:
    """The secret with this name.

    Raises:
        NotFoundError: There is none.
    """
    secret = session.get(Secret, name)
    if secret is None:
        raise NotFoundError(ErrorCode.UNKNOWN_SECRET, place=name)
    return secret


def delete_secret(session: Session, name: str, *, force: bool) -> Secret:
    """Delete a secret.

    Args:
        session: The transaction.
        name: The secret's.
        force: Whether to delete it although an app's newest or pinned revision asks for it.

    Raises:
        NotFoundError: There is none.
        InputError: SECRET_IN_USE.
    """
    # Nobody publishes an app that asks for it meanwhile.
    lock_planning(session)
    secret = find_secret(session, name)
    asking = apps_asking(session, [name])[name]
    if asking and not force:
        raise InputError(ErrorCode.SECRET_IN_USE, place=name, detail=f"asked for by {', '.join(asking)}")
    session.delete(secret)
    return secret
