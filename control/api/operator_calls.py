"""The operators' side: have devices check in now."""

from contract.queues import ControlTask
from control.answers.job_filter import JobFilter
from control.answers.moment import this_moment
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.guarded_route import guarded_router, requires
from control.database.tables import Role
from control.steering.calls import ask_for_calls, select_devices
from control.views.calls import SyncReply, SyncRequest

router = guarded_router("fleet")

#: Devices that an answer names one by one.
_NAMED_DEVICES = 100


@router.post("/devices/sync", dependencies=[requires(Role.OPERATOR, confined=True)])
def sync(body: SyncRequest, services: ServicesDep, operator: OperatorDep) -> SyncReply:
    """Have devices check in now, those that are online; for a confined token, of the devices in its groups."""
    moment = this_moment(services)
    wanted = JobFilter(**body.selection.model_dump(), group_ids=operator.scope)
    with services.database.transaction() as session:
        meant = select_devices(session, wanted)
        online = [device for device in meant if device.last_seen_at >= moment.online_since]
        if not body.dry_run:
            ask_for_calls(session, online, moment.now)
            after = body.selection.model_dump(mode="json")
            services.audit.record(session, operator, "devices.sync", "many", now=moment.now, after=after)
        named = tuple(device.name for device in online[:_NAMED_DEVICES])
    if online and not body.dry_run:
        services.queue.request(ControlTask.CALL)
    return SyncReply(
        dry_run=body.dry_run,
        matched=len(meant),
        called=len(online),
        offline=len(meant) - len(online),
        devices=named,
    )
