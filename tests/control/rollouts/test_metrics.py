"""What a scraper sees of a rollout."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric

from control.answers.moment import this_moment
from control.rollouts.metrics import rollout_metrics
from control.rollouts.states import RolloutAction
from tests.control.plane import Plane
from tests.control.rollouts.rolled_fleet import RolledFleet, fleet_with_news, three_rings


def _scraped(fleet: RolledFleet) -> str:
    class Once:
        def collect(self) -> list[Metric]:
            services = fleet.plane.services
            with services.database.snapshot() as session:
                return list(rollout_metrics(session, this_moment(services).online_since))

    registry = CollectorRegistry()
    registry.register(Once())
    return generate_latest(registry).decode()


def test_state_devices_and_gates_are_told_while_it_is_under_way(plane: Plane) -> None:
    fleet = fleet_with_news(plane, 20)
    rollout = fleet.started(three_rings())
    fleet.turn()
    told = _scraped(fleet)
    assert 'outrider_rollout_state{rollout="Editor r2",state="running"} 1.0' in told
    assert 'outrider_rollout_devices{ring="canary",rollout="Editor r2",standing="succeeded"} 2.0' in told
    assert 'outrider_rollout_gate{gate="success",ring="canary",rollout="Editor r2"} 1.0' in told
    assert 'outrider_rollout_gate{gate="failure",ring="canary",rollout="Editor r2"} 0.0' in told
    fleet.act(rollout, RolloutAction.CANCEL)
    assert "Editor r2" not in _scraped(fleet)


def test_without_rollouts_there_is_nothing_to_tell(plane: Plane) -> None:
    assert "{" not in _scraped(RolledFleet(plane))
