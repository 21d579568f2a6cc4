"""Writes docs/behaviour.md from the tests' marks: `python -m deploy.behaviour.page`."""

from collections.abc import Mapping
from typing import Final

from deploy.behaviour.collection import PROJECT, Shown, rows_shown
from deploy.behaviour.rows import NEVER, sections

PAGE: Final = PROJECT / "docs" / "behaviour.md"

_HEAD: Final = """\
# What is shown of the behaviour, and by which test

Rows of the original's flow that concern the device, each with the tests that carry its name. A row that cannot come
about here says why; one without a test is shown as such. Tests on Wine run on Windows' own Python against its
registry, its installer and its processes.

This page is written by `python -m deploy.behaviour.page` from the marks `behaviour(...)` of the tests.
"""
_TABLE_HEAD: Final = "| row | in short | on Linux | on Wine |\n|---|---|---|---|\n"


def render(shown: Mapping[str, Shown]) -> str:
    """The page's text."""
    return "\n".join([_HEAD, *(_section(title, rows, shown) for title, rows in sections().items())])


def unknown_rows(shown: Mapping[str, Shown]) -> list[str]:
    """Rows that tests name and no section has."""
    known = {row for rows in sections().values() for row in rows}
    return sorted(shown.keys() - known)


def _section(title: str, rows: Mapping[str, str], shown: Mapping[str, Shown]) -> str:
    count = sum(1 for row in rows if row in shown)
    never = sum(1 for row in rows if row in NEVER)
    besides = f"; {never} cannot come about here" if never else ""
    lines = [_line(row, words, shown.get(row, Shown())) for row, words in rows.items()]
    return f"## {title}\n\n{count} of {len(rows)} rows have a test{besides}.\n\n{_TABLE_HEAD}{''.join(lines)}"


def _line(row: str, words: str, shown: Shown) -> str:
    if row in NEVER:
        return f"| {row} | {words} | never: {NEVER[row]} | never |\n"
    if not shown.on_linux and not shown.on_wine:
        return f"| {row} | {words} | none | none |\n"
    return f"| {row} | {words} | {_names(shown.on_linux)} | {_names(shown.on_wine)} |\n"


def _names(tests: set[str]) -> str:
    return "<br>".join(f"`{test.removeprefix('tests/')}`" for test in sorted(tests))


if __name__ == "__main__":
    PAGE.write_text(render(rows_shown()), encoding="utf-8")
