"""How the devices of a rollout are doing, counted by the database."""

from datetime import timedelta

from control.answers.moment import this_moment
from control.rollouts.counts import RingCounts, count
from control.rollouts.results import load_counts, load_results
from tests.control.plane import Plane
from tests.control.rollouts.rolled_fleet import RolledFleet, fleet_with_news, three_rings


def counted(fleet: RolledFleet, rollout_id: str) -> tuple[RingCounts, ...]:
    """The counts, which are those of all devices looked at one by one."""
    rollout, online_since = fleet.row(rollout_id), this_moment(fleet.plane.services).online_since
    with fleet.plane.services.database.snapshot() as session:
        counts = load_counts(session, rollout, online_since)
        each = load_results(session, rollout, online_since)
        assert counts == count(((result, 1) for _, result in each), len(counts))
    return counts


def test_rings_are_counted_as_their_devices_are_doing(either_plane: Plane) -> None:
    fleet = fleet_with_news(either_plane, 20)
    rollout_id = fleet.started(three_rings())
    rings = fleet.ring_of(rollout_id)
    early = sorted(device_id for device_id, ring in rings.items() if ring == 1)
    seen = [counted(fleet, rollout_id)]
    fleet.turn()
    seen.append(counted(fleet, rollout_id))
    fleet.step()
    fleet.pass_time(timedelta(hours=1))
    fleet.step()
    fleet.set_offline([*early[:3], *(device_id for device_id, ring in rings.items() if ring > 1)][:5])
    seen.append(counted(fleet, rollout_id))
    fleet.answer(failing=lambda device_id: device_id in early[2:4])
    seen.append(counted(fleet, rollout_id))
    assert len({str(counts) for counts in seen}) == len(seen), "each step was to be seen"
    assert [sum(ring.devices for ring in counts) for counts in seen] == [20] * len(seen)
