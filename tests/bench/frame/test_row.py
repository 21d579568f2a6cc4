import pytest

from tests.bench.row import Row, Unit


@pytest.mark.parametrize(("ours", "met"), [(1.0, True), (1.01, False)])
def test_an_aim_is_a_ratio_at_most(ours: float, met: bool) -> None:
    row = Row("area", "what", ours, 2.0, aim=0.5)
    assert (row.ratio, row.is_met) == (ours / 2, met)


@pytest.mark.parametrize(("ours", "met"), [(3.0, True), (3.1, False)])
def test_a_limit_is_a_figure_of_its_own_and_needs_no_baseline(ours: float, met: bool) -> None:
    row = Row("area", "what", ours, unit=Unit.CPU_MILLISECONDS, limit=3.0)
    assert (row.ratio, row.is_met) == (None, met)


def test_with_an_aim_and_a_limit_both_are_to_be_reached() -> None:
    assert not Row("area", "what", 4.0, 8.0, aim=0.5, limit=3.0).is_met
    assert not Row("area", "what", 2.0, 2.0, aim=0.5, limit=3.0).is_met
    assert Row("area", "what", 2.0, 4.0, aim=0.5, limit=3.0).is_met


def test_a_row_without_an_aim_is_always_met() -> None:
    row = Row("area", "what", 9.0, 1.0)
    assert row.is_met
    assert not row.has_aim


def test_a_ratio_to_nothing_reaches_no_aim() -> None:
    assert not Row("area", "what", 1.0, 0.0, aim=2.0).is_met


def test_its_fields_name_the_unit_and_the_verdict() -> None:
    fields = Row("area", "what", 1.0, 4.0, 0.5, unit=Unit.MEGABYTES).fields()
    assert fields["unit"] == "MB"
    assert (fields["ratio"], fields["is_met"], fields["limit"]) == (0.25, True, None)
