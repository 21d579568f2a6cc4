"""What people at devices ask for: the apps that are available there."""

from typing import Annotated

from fastapi import APIRouter, Query

from contract.available_apps import AppRequest, AppRequestReply, AvailableAppsReply
from contract.queues import ControlTask
from contract.uplink import APP_REQUESTS_PATH, AVAILABLE_APPS_PATH
from control.api.dependencies import SignedDep, SourceDep
from control.api.problems import PROBLEM_RESPONSES
from control.database.tables import Device
from control.fleet.app_requests import ask
from control.fleet.offers import Offers
from control.security.operators import DeviceActor

router = APIRouter(tags=["devices' side"], responses=PROBLEM_RESPONSES)

_MAX_NAME = 200


@router.get(AVAILABLE_APPS_PATH)
def available_apps(
    asked: SignedDep,
    after: Annotated[str, Query(max_length=_MAX_NAME, description="The apps whose names follow this one.")] = "",
    app: Annotated[str, Query(max_length=_MAX_NAME, description="Only the app with this id or name.")] = "",
) -> AvailableAppsReply:
    """The apps that are available to the device, and how they stand there."""
    with asked.services.database.snapshot() as session:
        offers = Offers.load(session, asked.device.id, asked.services.clock.now())
        if app:
            return AvailableAppsReply(apps=(offers.describe(session, offers.find(app)),))
        return offers.page(session, after=after)


@router.post(APP_REQUESTS_PATH)
def request_app(asked: SignedDep, source: SourceDep) -> AppRequestReply:
    """Have an available app installed, or one that was asked for uninstalled."""
    device, services = asked.device, asked.services
    request = AppRequest.from_json(asked.body)
    now = services.clock.now()
    with services.database.transaction() as session:
        row = session.get_one(Device, device.id)
        answered = ask(session, row, request, now=now, online_since=now - services.settings.online_window)
        if answered.is_change:
            before = {"app": answered.app.name, "request": answered.before}
            after = {"app": answered.app.name, "request": request.kind}
            actor = DeviceActor(device.id, source)
            services.audit.record(session, actor, "device.request-app", device.id, now=now, before=before, after=after)
    if answered.is_change:
        services.queue.request(ControlTask.DISPATCH)
    return AppRequestReply(app=answered.app)
