from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError
from worker.settings import AgentSettings, load_settings


def test_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.state_dir.is_absolute()
    assert settings.check_in_interval_seconds is None
    assert settings.pass_environment == ()


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OUTRIDER_AGENT_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS", "90")
    monkeypatch.setenv("OUTRIDER_AGENT_PASS_ENVIRONMENT", "HTTPS_PROXY, NO_PROXY,")
    monkeypatch.setenv("OUTRIDER_AGENT_MAY_RESTART", "true")
    monkeypatch.setenv("OUTRIDER_AGENT_", "no setting")
    settings = load_settings()
    assert settings.state_dir == tmp_path
    assert settings.may_restart
    assert settings.check_in_interval_seconds == 90
    assert settings.pass_environment == ("HTTPS_PROXY", "NO_PROXY")


def test_a_relative_folder_is_taken_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert AgentSettings(state_dir=Path("state")).state_dir == tmp_path / "state"


def test_a_folder_that_is_given_goes_before_the_environments(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OUTRIDER_AGENT_STATE_DIR", "elsewhere")
    assert load_settings(tmp_path).state_dir == tmp_path


def test_all_settings_that_make_no_sense_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS", "0")
    monkeypatch.setenv("OUTRIDER_AGENT_MAY_RESTART", "perhaps")
    with pytest.raises(InputError) as caught:
        load_settings()
    assert caught.value.code is ErrorCode.SETTINGS_INVALID
    assert "OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS: Input should be greater than 0" in caught.value.detail
    assert "OUTRIDER_AGENT_MAY_RESTART: Input should be a valid boolean" in caught.value.detail
