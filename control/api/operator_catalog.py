"""The operators' side: packages and apps."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request, Response, status
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from contract.error_codes import ErrorCode
from contract.errors import InputError, OutriderError
from contract.queues import ControlTask
from control.answers.apps import app_detail, list_apps
from control.answers.assignments import assignments_of
from control.api.dependencies import OperatorDep, ServicesDep, services_of
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.catalog.manifest_reader import validate_manifest
from control.catalog.pins import deployed_revision
from control.catalog.publishing import publish_manifest
from control.database.tables import App, Package, Role
from control.views.catalog import AppDetail, AppView, PackageView, PublishReply, PublishRequest
from control.views.page import Page

router = guarded_router("catalog")


async def uploaded_file(request: Request) -> AsyncIterator[Path]:
    """The body in a private temporary file that goes with the request; memory stays small.

    Raises:
        InputError: It is larger than this control plane takes; what is more than that is not read.
    """
    limit = services_of(request).settings.max_package_bytes
    with tempfile.TemporaryDirectory(prefix="outrider-upload-") as folder:
        path = Path(folder) / "upload.intunewin"
        try:
            await _receive(request, path, limit)
        except OSError as error:
            raise OutriderError(ErrorCode.PACKAGE_WRITE_FAILED, detail=str(error.strerror)) from error
        yield path


async def _receive(request: Request, path: Path, limit: int) -> None:
    received = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                raise InputError(ErrorCode.PACKAGE_TOO_LARGE, detail=f"at most {limit} bytes")
            await run_in_threadpool(file.write, chunk)


@router.post("/packages", dependencies=[requires(Role.OPERATOR)])
def upload_package(
    path: Annotated[Path, Depends(uploaded_file)], services: ServicesDep, operator: OperatorDep
) -> PackageView:
    """Take a package in; its content is verified and stored before anything of it can be seen."""

    def note(session: Session, package: Package) -> None:
        after, now = {"name": package.name, "size": package.size}, services.clock.now()
        services.audit.record(session, operator, "package.upload", package.digest, now=now, after=after)

    return PackageView.model_validate(services.packages.take(path, note))


@router.post("/apps", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_201_CREATED)
def publish(body: PublishRequest, services: ServicesDep, operator: OperatorDep, response: Response) -> PublishReply:
    """Make a revision of a manifest and a package, assigned as the manifest says; the same again changes nothing."""
    manifest = validate_manifest(body.manifest)
    with services.database.transaction() as session:
        revision, created = publish_manifest(
            session, manifest, body.package, policies=services.policies, now=services.clock.now(), hold=body.hold
        )
        deployed = deployed_revision(session, session.get_one(App, revision.app_id))
        assigned = assignments_of(session, revision.app_id)
        after = {
            "app": manifest.name,
            "revision": revision.number,
            "package": body.package,
            "created": created,
            "deployed": deployed,
        }
        now = services.clock.now()
        services.audit.record(session, operator, "app.publish", revision.app_id, now=now, after=after)
    if created or manifest.assignments:
        services.queue.request(ControlTask.PLAN)
    if not created:
        response.status_code = status.HTTP_200_OK
    return PublishReply(
        app_id=revision.app_id,
        app=manifest.name,
        revision=revision.number,
        created=created,
        deployed=deployed,
        assignments=assigned,
    )


@router.get("/apps", dependencies=[requires(Role.VIEWER, confined=True)])
def apps(services: ServicesDep, page: PageDep) -> Page[AppView]:
    """All apps."""
    with services.database.snapshot() as session:
        return list_apps(session, page)


@router.get("/apps/{name:path}", dependencies=[requires(Role.VIEWER)])
def app(name: str, services: ServicesDep, tag: TagDep) -> AppDetail:
    """One app, by name or id."""
    with services.database.snapshot() as session:
        return tag.on(app_detail(session, name))
