"""The page of rows and tests; collecting all tests takes some seconds, so it is done once."""

import pytest

from deploy.behaviour.collection import Shown, rows_shown
from deploy.behaviour.page import PAGE, render, unknown_rows
from deploy.behaviour.rows import NEVER, sections


@pytest.fixture(scope="module")
def shown() -> dict[str, Shown]:
    return rows_shown()


def test_the_page_is_the_one_the_tests_give(shown: dict[str, Shown]) -> None:
    assert PAGE.read_text(encoding="utf-8") == render(shown), "run: python -m deploy.behaviour.page"


def test_no_test_names_a_row_that_is_not_known(shown: dict[str, Shown]) -> None:
    assert unknown_rows(shown) == []


def test_this_very_row_is_found(shown: dict[str, Shown]) -> None:
    assert any("test_narrate" in test or "test_installs" in test for test in shown["B-30"].on_linux)


def test_a_row_without_a_test_is_shown_as_such() -> None:
    assert "| B-61 | the report is kept, sent, and ends the session | none | none |\n" in render({})


def test_a_row_that_cannot_come_about_says_why_and_has_no_test(shown: dict[str, Shown]) -> None:
    assert "| B-66 | the agent's own health is looked at | never: systemd, or" in render({})
    assert NEVER.keys() & shown.keys() == set()
    assert NEVER.keys() - {row for section in sections().values() for row in section} == set()


def test_every_row_has_a_test_or_a_reason_to_have_none(shown: dict[str, Shown]) -> None:
    rows = {row for section in sections().values() for row in section}
    assert sorted(rows - shown.keys() - NEVER.keys()) == []


def test_a_row_nobody_knows_is_named() -> None:
    assert unknown_rows({"B-99": Shown()}) == ["B-99"]


def test_every_row_stands_in_one_section() -> None:
    rows = [row for section in sections().values() for row in section]
    assert len(rows) == len(set(rows))
    assert {f"B-{number}" for number in range(20, 69)} - set(rows) == {"B-28", "B-39", "B-47", "B-48", "B-49"}
