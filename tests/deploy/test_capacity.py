"""What a fleet needs follows from what things cost, and the page says the same as the program."""

import pytest

from deploy.capacity import BROKER_USER, COSTS, PAGE, Usage, need, render_costs, render_needs, with_tables


def test_the_page_holds_the_tables_as_they_are_worked_out() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert render_costs() in page
    assert render_needs() in page
    assert with_tables(page) == page, "run `python -m deploy.capacity`"


def test_the_tables_are_written_between_their_marks_and_the_words_stay() -> None:
    page = "words\n<!-- costs -->\nold\n<!-- /costs -->\nmore words\n<!-- needs -->\n<!-- /needs -->\nthe end\n"
    written = with_tables(page)
    assert "old" not in written
    assert [word in written for word in ("words\n<!--", "more words", "the end")] == [True] * 3
    assert with_tables(written) == written


def test_every_cost_says_where_it_comes_from() -> None:
    assert all(cost.source and cost.value > 0 and cost.unit for cost in COSTS)


@pytest.mark.parametrize("field", ["check_ins_a_second", "broker_bytes", "database_bytes", "planning_seconds"])
def test_ten_times_the_devices_need_ten_times_as_much(field: str) -> None:
    assert getattr(need(10_000), field) == pytest.approx(10 * getattr(need(1_000), field))


def test_shards_share_what_one_broker_bears_and_not_the_sum() -> None:
    one, ten = need(1_000_000), need(1_000_000, shards=10)
    assert ten.reconnect_seconds == pytest.approx(one.reconnect_seconds / 10)
    assert ten.save_seconds == pytest.approx(one.save_seconds / 10)
    assert ten.broker_bytes == one.broker_bytes


def test_what_is_assumed_counts() -> None:
    assert need(1_000, Usage(check_in_interval_seconds=600)).check_ins_a_second == pytest.approx(1_000 / 600)
    more = need(1_000, Usage(waiting_jobs=5)).broker_bytes - need(1_000, Usage(waiting_jobs=2)).broker_bytes
    assert more == pytest.approx(3 * 1_000 * 1_000)
    assert need(1_000).broker_bytes > 1_000 * BROKER_USER.value
    assert need(1_000, Usage(reports_kept_days=30)).database_bytes < need(1_000).database_bytes
    assert need(1_000, Usage(rollout_seconds=3600)).store_megabits > need(1_000).store_megabits
