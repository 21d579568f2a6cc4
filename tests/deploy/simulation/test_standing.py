"""How a fleet stands is the sum of how its parts do."""

from collections import Counter

from deploy.simulation.standing import Standing, total


def test_parts_add_up() -> None:
    one = Standing(enrolled=3, present=2, outcomes=Counter(installed=2), refused=Counter({503: 1}), bytes_sent=10)
    other = Standing(enrolled=4, outcomes=Counter(installed=1, failed=1), installed_twice=1, bytes_sent=5)
    assert total([one, other]) == Standing(
        enrolled=7,
        present=2,
        outcomes=Counter(installed=3, failed=1),
        installed_twice=1,
        refused=Counter({503: 1}),
        bytes_sent=15,
    )


def test_what_a_process_tells_is_read_as_it_was_meant() -> None:
    told = Standing(outcomes=Counter(installed=2), refused=Counter({503: 1}), requests=Counter({"GET content": 4}))
    assert Standing.model_validate_json(told.model_dump_json()) == told


def test_a_fleet_without_parts_is_nobody() -> None:
    assert total([]) == Standing()
