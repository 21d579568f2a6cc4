"""What the agent's process does not load."""

import subprocess
import sys

import pytest

#: What only `run` needs, and what it does without.
HEAVY = ("structlog", "rich", "celery", "httpx", "pygments.lexers")


def _loaded(program: str) -> set[str]:
    command = [sys.executable, "-c", f"{program}\nimport sys; print(*(n for n, m in sys.modules.items() if m))"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_command_line_loads_nothing_that_only_one_command_needs() -> None:
    assert not _loaded("import worker.cli.main") & set(HEAVY)


@pytest.mark.parametrize("before", ["", "import rich\n"])
def test_the_agents_parts_do_without_rich_and_what_uses_it_already_goes_on(before: str) -> None:
    loaded = _loaded(
        f"{before}from worker.lean import leave_out_terminal_colours\nleave_out_terminal_colours()\n"
        "import worker.bootstrap, worker.celery_app"
    )
    assert {"structlog", "celery", "httpx"} <= loaded
    assert ("rich" in loaded) is bool(before)
