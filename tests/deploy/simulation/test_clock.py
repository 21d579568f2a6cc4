"""A device's clock that can be ahead."""

from deploy.simulation.clock import SkippingClock


def test_what_was_skipped_has_passed_for_the_device_and_is_waited_for() -> None:
    clock = SkippingClock()
    before, wall = clock.monotonic(), clock.now()
    clock.skip(30)
    assert clock.monotonic() - before >= 30
    assert (clock.now() - wall).total_seconds() >= 30
    assert 0 < clock.behind() <= 30
    standing = clock.monotonic()
    assert clock.monotonic() == standing, "it stands until the machine's has caught up"


def test_nothing_was_skipped_so_nothing_is_waited_for() -> None:
    assert SkippingClock().behind() == 0
