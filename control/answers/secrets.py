"""Answers about secrets."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.answers.pages import PageRequest, read_page
from control.database.tables import Secret
from control.secrets.uses import apps_asking
from control.views.page import Page
from control.views.secrets import SecretView


def list_secrets(session: Session, wanted: PageRequest) -> Page[SecretView]:
    """Secrets by name, without themselves."""
    rows, cursor = read_page(session, select(Secret), [Secret.name], wanted)
    return Page(items=secret_views(session, [secret for (secret,) in rows]), next_cursor=cursor)


def secret_views(session: Session, secrets: Sequence[Secret]) -> tuple[SecretView, ...]:
    """These secrets without themselves."""
    asking = apps_asking(session, [secret.name for secret in secrets])
    return tuple(_view(secret, asking[secret.name]) for secret in secrets)


def secret_view(session: Session, secret: Secret) -> SecretView:
    """A secret without itself."""
    return secret_views(session, [secret])[0]


def _view(secret: Secret, used_by: tuple[str, ...]) -> SecretView:
    return SecretView(
        name=secret.name,
        version=secret.version,
        created_at=secret.created_at,
        changed_at=secret.changed_at,
        used_by=used_by,
    )
