import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from tests.bench.frame.areas import AreaRun, MeasuredRow
from tests.bench.frame.machine import Machine, this_machine
from tests.bench.frame.report import document, figure, heading, summary, table
from tests.bench.row import Row, Unit

_MACHINE = Machine("Linux", "EPYC", 2, 25.3, {"Python": "3.11.7", "Valkey": "9.1.2"})
_RATIO = MeasuredRow(Row("api", "check-in", 6.0, 2.0, 2.5, unit=Unit.CPU_MILLISECONDS), 8.25)
_LIMIT = MeasuredRow(Row("api", "memory", 120.0, limit=500, unit=Unit.MEGABYTES, extra="of the API"), 1.0)


def _printed(run: AreaRun) -> str:
    console = Console(width=160, no_color=True)
    with console.capture() as captured:
        console.print(table(run))
    return captured.get()


def _line(run: AreaRun, word: str) -> list[str]:
    line = next(line for line in _printed(run).splitlines() if word in line)
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_a_row_shows_figures_with_their_unit_the_ratio_the_aim_and_the_load() -> None:
    run = AreaRun("api", rows=[_RATIO, _LIMIT])
    assert _line(run, "check-in") == ["check-in", "6.00", "2.00", "ms CPU", "3.00", "<= 2.5x", "8.2", "MISSED"]
    assert _line(run, "memory") == ["memory", "120", "", "MB", "", "<= 500 MB", "1.0", "met of the API"]


def test_a_table_is_headed_by_what_the_area_took_and_says_where_that_was_too_long() -> None:
    assert _printed(AreaRun("api", seconds=12.3)).splitlines()[0].rstrip() == "api: 12 s"
    assert "api: 12 s of at most 20" in _printed(AreaRun("api", 20, seconds=12.3))
    assert "api: 21 s of at most 20 OVER ITS BUDGET" in _printed(AreaRun("api", 20, seconds=21.3))


def test_a_failed_area_is_shown_as_failed_beneath_its_rows() -> None:
    printed = _printed(AreaRun("api", rows=[_LIMIT], failure="ValueError: [no] broker"))
    assert "memory" in printed
    assert "FAILED: ValueError: [no] broker" in printed


def test_the_summary_counts_aims_and_names_what_failed() -> None:
    runs = [AreaRun("api", rows=[_RATIO, _LIMIT], seconds=2), AreaRun("trust", failure="ValueError: x", seconds=1)]
    assert summary(runs) == "1 of 2 aims met in 3 s, 2 rows; FAILED: trust"


def test_the_document_has_everything_the_tables_have() -> None:
    runs = [AreaRun("api", 20, rows=[_RATIO], seconds=12.34, failure="ValueError: x")]
    began = datetime(2026, 3, 1, tzinfo=UTC)
    read = json.loads(json.dumps(document(runs, _MACHINE, began, quick=True)))
    assert read["machine"]["versions"] == {"Python": "3.11.7", "Valkey": "9.1.2"}
    assert (read["began_at"], read["quick"]) == ("2026-03-01T00:00:00+00:00", True)
    (area,) = read["areas"]
    assert (area["seconds"], area["budget_seconds"], area["failure"]) == (12.3, 20, "ValueError: x")
    (row,) = area["rows"]
    assert (row["unit"], row["load_average"], row["is_met"], row["ratio"]) == ("ms CPU", 8.25, False, 3.0)


def test_the_heading_names_cores_and_versions() -> None:
    assert heading(_MACHINE) == "2 cores, EPYC, 25.3 GB, Linux\nPython 3.11.7, Valkey 9.1.2"


def test_this_machine_knows_the_versions_of_what_takes_part() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    wanted = {"Python", "Celery", "kombu", "Valkey", "PostgreSQL", "SQLite", "FastAPI", "pyinfra", "ansible-core"}
    assert wanted <= set(machine.versions)


@pytest.mark.parametrize(
    ("value", "written"),
    [(44977.3, "44,977"), (25.123, "25.1"), (1.0, "1.00"), (0.02199, "0.022"), (0.0, "0"), (-250.0, "-250")],
)
def test_figures_have_as_many_digits_as_they_deserve(value: float, written: str) -> None:
    assert figure(value) == written
