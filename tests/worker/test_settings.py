from pathlib import Path

import pytest
from pydantic import ValidationError

from worker.settings import AgentSettings


def test_everything_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = AgentSettings()
    assert settings.state_dir.is_absolute()
    assert settings.check_in_interval_seconds is None
    assert settings.pass_environment == ()


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OUTRIDER_AGENT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS", "90")
    monkeypatch.setenv("OUTRIDER_AGENT_PASS_ENVIRONMENT", "HTTPS_PROXY, NO_PROXY,")
    settings = AgentSettings()
    assert settings.state_dir == tmp_path
    assert settings.check_in_interval_seconds == 90
    assert settings.pass_environment == ("HTTPS_PROXY", "NO_PROXY")


def test_a_relative_folder_is_taken_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert AgentSettings(state_dir=Path("state")).state_dir == tmp_path / "state"


def test_an_interval_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS", "0")
    with pytest.raises(ValidationError):
        AgentSettings()
