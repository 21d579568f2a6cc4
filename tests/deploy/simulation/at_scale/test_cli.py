"""What the command refuses before anything is started."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from contract.exit_statuses import ExitStatus
from deploy.simulation.at_scale.cli import simulate


def test_several_brokers_beside_one_of_the_callers_own_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER_URL", "redis://127.0.0.1:1/0")
    app = typer.Typer()
    app.command()(simulate)
    done = CliRunner().invoke(app, ["--shards", "2", "--folder", str(tmp_path / "run")])
    assert done.exit_code == ExitStatus.USAGE
    assert "BROKER_URL" in done.output
    assert not (tmp_path / "run").exists()
