"""What the control plane's own workers do, task by task; each looks into the database and does what is due."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from structlog import get_logger

from contract.errors import UnavailableError
from contract.queues import ControlTask
from control.counters import REFUSED_MESSAGES, count_up
from control.database.statistics import refresh_statistics
from control.dispatch.admission import Admission
from control.dispatch.expiry import expire
from control.dispatch.outbox import dispatch_due
from control.dispatch.ports import DeviceCaller, JobPublisher, QueueInspector
from control.dispatch.reconcile import Watchfulness, reconcile
from control.history.archive import archive
from control.idempotency.keeping import forget_old_answers
from control.planning import service
from control.planning.service import Planned
from control.planning.upkeep import catch_up, plan_all
from control.rollouts.service import advance_rollouts
from control.services import Services
from control.shards.each import at_each
from control.shards.placement import is_at
from control.steering.calls import call_asked
from control.tallies.counting import count_moved

_log = get_logger(__name__)

#: Jobs that one run of the dispatch task sends at most; the next run goes on.
_DISPATCH_LIMIT = 10_000
#: Jobs that one run of a task counts, or archives, at most; the next run goes on.
_TALLY_LIMIT = 20_000
_ARCHIVE_LIMIT = 10_000


def handlers(
    services: Services,
    publishers: Mapping[str, JobPublisher],
    inspector: QueueInspector,
    callers: Mapping[str, DeviceCaller],
) -> Mapping[ControlTask, Callable[[], object]]:
    """What to call for each task; publishers and callers by shard."""
    return {
        ControlTask.PLAN: partial(plan_now, services),
        ControlTask.CATCH_UP: partial(catch_up_now, services),
        ControlTask.DISPATCH: partial(dispatch_now, services, publishers),
        ControlTask.CALL: partial(call_now, services, callers),
        ControlTask.RECONCILE: partial(reconcile_now, services, inspector),
        ControlTask.ROLLOUT: partial(advance_now, services),
        ControlTask.TALLY: partial(tally_now, services),
        ControlTask.ARCHIVE: partial(archive_now, services),
    }


def plan_now(services: Services) -> None:
    """Plan for the whole fleet, and ask for what is due to be sent."""
    now = services.clock.now()
    _follow_up(services, plan_all(services.database, now=now, online_since=now - services.settings.online_window))


def catch_up_now(services: Services) -> None:
    """Plan where that was missed, and ask for what is due to be sent."""
    now = services.clock.now()
    _follow_up(services, catch_up(services.database, now=now, online_since=now - services.settings.online_window))


def _follow_up(services: Services, planned: Planned) -> None:
    if planned.made or planned.cancelled:
        _log.info("planned", made=planned.made, cancelled=planned.cancelled, queued=planned.queued)
    if planned.queued:
        services.queue.request(ControlTask.DISPATCH)


def plan_device(services: Services, device_id: str) -> None:
    """Plan for one device, and ask for what is due for it to be sent."""
    plan_devices(services, [device_id])


def plan_devices(services: Services, device_ids: Sequence[str]) -> None:
    """Plan for some devices, few enough for one statement, and ask for what is due for them to be sent."""
    now = services.clock.now()
    online_since = now - services.settings.online_window
    with services.database.transaction() as session:
        planned = service.plan_devices(session, device_ids, now=now, online_since=online_since)
    if planned.queued:
        services.queue.request(ControlTask.DISPATCH)


def dispatch_now(services: Services, publishers: Mapping[str, JobPublisher]) -> None:
    """Send what is in the outbox for the devices at these shards, side by side.

    Raises:
        UnavailableError: A broker or the database does not answer; the other shards' devices were sent what is theirs.
    """
    settings, shards = services.settings, services.enrollment.shards
    admission = Admission(settings.dispatch_per_second, settings.dispatch_burst)

    def dispatch(shard: str) -> int:
        to = is_at(shard, shards) if len(shards) > 1 else None
        return dispatch_due(services.database, publishers[shard], services.clock, _DISPATCH_LIMIT, admission, to=to)

    sent = at_each(publishers.keys(), dispatch)
    if sent:
        _log.info("sent", jobs=sent)


def call_now(services: Services, callers: Mapping[str, DeviceCaller]) -> None:
    """Have devices at these shards check in that operators asked for.

    Raises:
        UnavailableError: A broker or the database does not answer; the other shards' devices were called.
    """

    def call(shard: str) -> int:
        return call_asked(services.database, callers[shard], is_at(shard, services.enrollment.shards))

    called = at_each(callers.keys(), call)
    if called:
        _log.info("called", devices=called)


def count_refused_message(services: Services) -> None:
    """Count a message in the control plane's own queue that was dropped; without the database it is only logged."""
    try:
        with services.database.transaction() as session:
            count_up(session, {REFUSED_MESSAGES: 1})
    except UnavailableError as error:
        _log.warning("a refused message was not counted", error=str(error))


def reconcile_now(services: Services, inspector: QueueInspector) -> None:
    """Send anew what is overdue or lost, and end what belongs to devices that do not come back."""
    now, settings = services.clock.now(), services.settings
    watch = Watchfulness(now, now - settings.online_window, settings.silence_limit, settings.quiet_limit)
    done = reconcile(services.database, inspector, watch)
    with services.database.transaction() as session:
        expired = expire(session, silent_since=now - settings.expiry, now=now)
        counts = {"overdue": done.overdue, "lost": done.lost, "settled": done.settled, "expired": expired}
        count_up(session, counts)
    forget_old_answers(services.database, now)
    if done.overdue or done.lost or done.settled or expired:
        _log.warning("reconciled", **counts)
    if done.overdue or done.lost:
        services.queue.request(ControlTask.DISPATCH)
    for device_id in sorted(done.freed):
        plan_device(services, device_id)


def advance_now(services: Services) -> None:
    """Take rollouts as far as they get now, and see that the jobs are made that are wanted then.

    Admitted devices are planned for here and now; for many, as for all others, it is asked for. Who dies in between has
    left another digest of what is wanted than the one that was planned for: see `control.planning.wanted`.
    """
    advanced = advance_rollouts(services)
    for one in advanced:
        if one.steps or one.admitted or one.joined:
            steps = [step.value for step in one.steps]
            _log.info(
                "rollout advanced", rollout=one.rollout, steps=steps, admitted=len(one.admitted), joined=one.joined
            )
    admitted = sorted({device_id for one in advanced for device_id in one.admitted})
    if len(admitted) > service.PART or any(one.concerns_all for one in advanced):
        services.queue.request(ControlTask.PLAN)
    elif admitted:
        plan_devices(services, admitted)


def tally_now(services: Services) -> None:
    """Count the jobs that have moved since they were counted."""
    count_moved(services.database, _TALLY_LIMIT)


def archive_now(services: Services) -> None:
    """Move what was replaced long ago into the archive, and let the database look at what is left."""
    replaced_before = services.clock.now() - services.settings.history
    archived = archive(services.database, replaced_before=replaced_before, limit=_ARCHIVE_LIMIT)
    if archived:
        _log.info("archived", jobs=archived)
    with services.database.transaction() as session:
        refresh_statistics(session)
