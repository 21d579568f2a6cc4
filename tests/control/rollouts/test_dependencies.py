"""A rollout of an app that depends on others: they come first, their failures count, and the forecast knows them."""

from sqlalchemy import select

from control.catalog.manifest import Manifest
from control.catalog.publishing import publish_manifest
from control.database.tables import App, Job
from control.rollouts.counts import Standing
from control.rollouts.dependencies import dependencies_of
from control.rollouts.states import RolloutState
from tests.control.plane import Plane, manifest_data
from tests.control.rollouts.rolled_fleet import RolledFleet, rolled_fleet, three_rings

NEEDS_RUNTIME = {"dependencies": [{"app": "Runtime", "dependencyType": "autoInstall"}]}


def _fleet(plane: Plane) -> RolledFleet:
    fleet = rolled_fleet(plane, 20)
    _publish(plane, name="Runtime")
    _publish(plane, displayVersion="2.0", **NEEDS_RUNTIME)
    return fleet


def _publish(plane: Plane, **changes: object) -> None:
    services = plane.services
    package = services.packages.take(plane.package)
    manifest = Manifest.model_validate(manifest_data(**changes))
    with services.database.transaction() as session:
        publish_manifest(session, manifest, package.digest, policies=services.policies, now=plane.clock.now())


def test_only_admitted_devices_get_what_the_revision_depends_on(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    rollout = fleet.started(three_rings())
    for _ in range(4):
        fleet.turn()
    assert fleet.standing(rollout, 0, Standing.SUCCEEDED) == 2
    with either_plane.services.database.snapshot() as session:
        runtime = select(Job.device_id).join(App, App.id == Job.app_id).where(App.name == "Runtime")
        assert set(session.scalars(runtime)) == fleet.admitted(rollout)


def test_a_device_whose_dependency_fails_has_failed(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    rollout = fleet.started(three_rings())
    for _ in range(3):
        fleet.step()
        fleet.answer(failing=lambda _: True)
    fleet.step()
    assert fleet.row(rollout).state is RolloutState.HALTED


def test_the_forecast_names_what_comes_along(plane: Plane) -> None:
    _fleet(plane)
    with plane.services.database.snapshot() as session:
        (runtime,) = dependencies_of(session, plane.app_id(), 2)
        assert dependencies_of(session, plane.app_id(), 1) == ()
    assert (runtime.name, runtime.size > 0) == ("Runtime", True)
