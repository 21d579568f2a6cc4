"""What the agent's process does not load."""

import subprocess
import sys
from pathlib import Path

import pytest

from contract.exit_statuses import ExitStatus
from worker.lean import UNNEEDED

#: What only `run` needs, and what it does without.
HEAVY = ("structlog", "celery", "httpx", *UNNEEDED)
#: What only the control plane needs: a device signs requests and verifies none, and its settings are few.
OTHER_ENDS = ("http_message_signatures", "contract.request_verification", "pydantic_settings")

_RUN = """
import sys
sys.argv[1:] = {arguments}
from worker.cli.main import main
try:
    main()
except SystemExit as end:
    assert end.code == {status}, end.code
"""


def _loaded(program: str) -> set[str]:
    command = [sys.executable, "-c", f"{program}\nimport sys; print(*(n for n, m in sys.modules.items() if m))"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_the_command_line_loads_nothing_that_only_one_command_needs() -> None:
    assert not _loaded("import worker.cli.commands") & set(HEAVY)


@pytest.mark.parametrize("before", ["", "rich"])
def test_the_agents_parts_do_without_unneeded_libraries_but_for_one_that_is_used_already(before: str) -> None:
    loaded = _loaded(
        (f"import {before}\n" if before else "")
        + "from worker.lean import leave_out_unneeded_libraries\nleave_out_unneeded_libraries()\n"
        "import worker.process, worker.bootstrap, worker.celery_app, httpcore\n"
        "import celery.apps.worker, celery.worker.consumer"
    )
    assert {"structlog", "celery", "httpx"} <= loaded
    assert loaded & {*UNNEEDED, *OTHER_ENDS} == set(filter(None, [before]))


@pytest.mark.parametrize("options", [[], ["--state-dir", "another folder"]])
def test_the_agent_is_started_without_the_library_that_reads_command_lines(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTRIDER_AGENT_STATE_DIR", str(tmp_path))
    loaded = _loaded(_RUN.format(arguments=["run", *options], status=int(ExitStatus.USAGE)))
    assert "worker.process" in loaded
    assert ("typer" in loaded) is bool(options)
    assert "platformdirs" not in loaded, "the folder was given"
