"""The operators' side: secrets for installers. Their values come in and never go out."""

from typing import Annotated

from fastapi import Path, Query, Response, status

from contract.installer_secrets import SECRET_NAME_PATTERN
from control.answers.secrets import list_secrets, secret_view
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.database.session import lock_planning
from control.database.tables import Role
from control.secrets.keeping import delete_secret, find_secret, set_secret
from control.views.page import Page
from control.views.secrets import SecretRequest, SecretView

router = guarded_router("secrets", prefix="/v1/secrets")

NameDep = Annotated[str, Path(pattern=SECRET_NAME_PATTERN, description="The secret's name.")]


@router.put("/{name}", dependencies=[requires(Role.ADMIN)])
def put_secret(
    name: NameDep, body: SecretRequest, services: ServicesDep, operator: OperatorDep, response: Response
) -> SecretView:
    """Keep a secret's value; one that is there gets a new version, and its old value is gone."""
    now = services.clock.now()
    with services.database.transaction() as session:
        secret = set_secret(session, services.secrets, name, body.value, now)
        services.audit.record(session, operator, "secret.set", name, now=now, after={"version": secret.version})
        view = secret_view(session, secret)
    if view.version == 1:
        response.status_code = status.HTTP_201_CREATED
    return view


@router.get("", dependencies=[requires(Role.OPERATOR)])
def secrets(services: ServicesDep, page: PageDep) -> Page[SecretView]:
    """All secrets by name, without themselves."""
    with services.database.snapshot() as session:
        return list_secrets(session, page)


@router.get("/{name}", dependencies=[requires(Role.OPERATOR)])
def secret(name: NameDep, services: ServicesDep) -> SecretView:
    """One secret, without itself."""
    with services.database.snapshot() as session:
        return secret_view(session, find_secret(session, name))


@router.delete("/{name}", dependencies=[requires(Role.ADMIN)])
def remove_secret(
    name: NameDep,
    services: ServicesDep,
    operator: OperatorDep,
    force: Annotated[bool, Query(description="Although an app's newest or pinned revision asks for it.")] = False,
) -> SecretView:
    """Delete a secret for good."""
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        view = secret_view(session, find_secret(session, name))
        delete_secret(session, name, force=force)
        before = {"version": view.version, "used_by": list(view.used_by)}
        services.audit.record(session, operator, "secret.delete", name, now=now, before=before)
    return view
