"""What the agent's process does not load."""

import subprocess
import sys

import pytest

from worker.lean import UNNEEDED

#: What only `run` needs, and what it does without.
HEAVY = ("structlog", "celery", "httpx", *UNNEEDED)
#: What only the control plane needs: a device signs requests and verifies none.
OTHER_ENDS = ("http_message_signatures", "contract.request_verification")


def _loaded(program: str) -> set[str]:
    command = [sys.executable, "-c", f"{program}\nimport sys; print(*(n for n, m in sys.modules.items() if m))"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_command_line_loads_nothing_that_only_one_command_needs() -> None:
    assert not _loaded("import worker.cli.main") & set(HEAVY)


@pytest.mark.parametrize("before", ["", "rich"])
def test_the_agents_parts_do_without_unneeded_libraries_but_for_one_that_is_used_already(before: str) -> None:
    loaded = _loaded(
        (f"import {before}\n" if before else "")
        + "from worker.lean import leave_out_unneeded_libraries\nleave_out_unneeded_libraries()\n"
        "import worker.bootstrap, worker.celery_app, celery.apps.worker, celery.worker.consumer"
    )
    assert {"structlog", "celery", "httpx"} <= loaded
    assert loaded & {*UNNEEDED, *OTHER_ENDS} == set(filter(None, [before]))
