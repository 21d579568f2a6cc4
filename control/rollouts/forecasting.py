"""Try a rollout out: load what it would meet, and say what it would come to. Nothing is changed."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.states import Outcome
from control.answers.moment import Moment
from control.catalog.manifest import Manifest
from control.catalog.policies import requirements_of
from control.database.tables import Device, Job, Package, PhaseRow, Rollout
from control.filters.facts import facts_of
from control.rollouts.creation import Intended, intend
from control.rollouts.dependencies import Dependency, dependencies_of
from control.rollouts.forecast import ForecastDevice, RingForecast, forecast, whole_time
from control.rollouts.limits import Place
from control.rollouts.ring_sizing import split
from control.rollouts.spec import Ring, RolloutSpec
from control.rollouts.states import ACTIVE_STATES
from control.rollouts.suitability import first_unmet
from control.rollouts.targets import candidates, groups_of_devices
from control.views.rollouts import ForecastRingView, RolloutForecast, RolloutRequest, UnsuitedDeviceView

#: Attempts that the time of one is measured on.
_MEASURED: Final = 500
#: Devices that are held in memory at once.
_BATCH: Final = 1000
#: Devices that an answer names one by one.
_NAMED: Final = 20


def forecast_rollout(session: Session, wanted: RolloutRequest, moment: Moment) -> RolloutForecast:
    """What a rollout like this would do.

    Raises:
        NotFoundError: The app, or a group that it names, is not there.
        InputError: It could not be made.
    """
    intended = intend(session, wanted.app, wanted.revision, wanted.spec)
    dependencies = dependencies_of(session, intended.app.id, intended.revision.number)
    size = session.get_one(Package, intended.revision.package_digest).size
    devices = tuple(_devices(session, intended, wanted.spec, moment))
    durations = _durations(session, intended.app.id)
    bytes_each = size + sum(one.size for one in dependencies)
    rings = forecast(wanted.spec, devices, bytes_each=bytes_each, durations=durations)
    unsuited = [UnsuitedDeviceView(device=one.name, **vars(one.unmet)) for one in devices if one.unmet is not None]
    views = tuple(_ring(*pair) for pair in zip(wanted.spec.rings, rings, strict=True))
    return RolloutForecast(
        app=intended.app.name,
        revision=intended.revision.number,
        baseline=intended.baseline,
        devices=len(devices),
        rings=views,
        bytes=sum(ring.bytes for ring in rings),
        seconds=whole_time(rings),
        seconds_per_device=_each(durations),
        measured_on=len(durations),
        not_applicable=len(unsuited),
        unsuited=tuple(unsuited[:_NAMED]),
        warnings=tuple(_warnings(session, intended, devices, views, dependencies)),
    )


def _devices(session: Session, intended: Intended, spec: RolloutSpec, moment: Moment) -> Iterator[ForecastDevice]:
    """The devices in the rings that a rollout of the app could give them; its own id deals them out anew."""
    rings = split(spec.rings, candidates(session, intended.app.id, spec, moment.now), intended.app.id)
    required = requirements_of(Manifest.model_validate_json(intended.revision.manifest))
    groups = groups_of_devices(session, spec.limits.groups)
    for device in session.scalars(select(Device).order_by(Device.name).execution_options(yield_per=_BATCH)):
        if device.id in rings:
            yield ForecastDevice(
                name=device.name,
                ring=rings[device.id],
                place=Place(device.id, device.site, groups.get(device.id, frozenset())),
                online=device.last_seen_at >= moment.online_since,
                unmet=first_unmet(required, facts_of(device)),
            )


def _durations(session: Session, app_id: str) -> list[float]:
    """Seconds that the newest attempts took in which the app was installed, of whichever revision."""
    newest = (
        select(Job.id)
        .where(Job.app_id == app_id, Job.outcome == Outcome.INSTALLED)
        .order_by(Job.finished_at.desc())
        .limit(_MEASURED)
    )
    attempt = (PhaseRow.job_id, PhaseRow.generation, PhaseRow.attempt)
    took = select(func.sum(PhaseRow.duration_seconds)).where(PhaseRow.job_id.in_(newest)).group_by(*attempt)
    return list(session.scalars(took))


def _each(durations: Sequence[float]) -> float | None:
    return median(durations) if durations else None


def _ring(ring: Ring, found: RingForecast) -> ForecastRingView:
    return ForecastRingView(
        name=ring.name,
        devices=len(found.devices),
        online=sum(device.online for device in found.devices),
        bytes=found.bytes,
        seconds=found.seconds,
        some_devices=tuple(device.name for device in found.devices[:_NAMED]),
    )


def _warnings(
    session: Session,
    intended: Intended,
    devices: Sequence[ForecastDevice],
    rings: Sequence[ForecastRingView],
    dependencies: Sequence[Dependency],
) -> Iterator[str]:
    if not devices:
        yield f"{intended.app.name} is not required on any device: assign it"
    yield from (f"ring {ring.name} has no device" for ring in rings if devices and not ring.devices)
    if offline := sum(not device.online for device in devices):
        yield f"{offline} of {len(devices)} devices are offline now"
    if sent := _were_sent(session, intended):
        yield f"{sent} devices were sent revision {intended.revision.number} already and keep it"
    active = select(Rollout.name, Rollout.app_id).where(Rollout.state.in_(ACTIVE_STATES))
    under_way = {app_id: name for name, app_id in session.execute(active)}
    if intended.app.id in under_way:
        yield f"{under_way[intended.app.id]} is under way: end it first"
    for one in dependencies:
        held = f", which {under_way[one.app_id]} holds back" if one.app_id in under_way else ""
        yield f"{one.name} comes along where it is missing{held}"


def _were_sent(session: Session, intended: Intended) -> int:
    sent = (Job.app_id == intended.app.id, Job.revision == intended.revision.number, Job.sent_at.is_not(None))
    return session.scalar(select(func.count(Job.device_id.distinct())).where(*sent)) or 0
