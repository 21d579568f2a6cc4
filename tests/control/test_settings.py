"""The settings of the control plane."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from contract.errors import InputError
from control.settings import ControlSettings, load_settings

GIVEN = {
    "DATABASE_URL": "sqlite:///control.db",
    "BROKER_URL": "rediss://control:p%40ss@broker.example:6380/2",
    "S3_ENDPOINT": "http://store.example",
    "S3_ACCESS_KEY": "key",
    "S3_SECRET_KEY": "a store's secret",
    "OUTRIDER_STATE_DIR": "/var/lib/outrider",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_environment_is_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OUTRIDER_CHECK_IN_INTERVAL_SECONDS", "90")
    settings = load_settings()
    assert settings.state_dir == Path("/var/lib/outrider")
    assert settings.check_in_interval.total_seconds() == 90
    assert settings.online_window.total_seconds() == 690


def test_devices_are_told_the_broker_without_the_control_planes_user(environment: pytest.MonkeyPatch) -> None:
    assert load_settings().broker_url_for_devices == "rediss://broker.example:6380/2"
    environment.setenv("OUTRIDER_DEVICE_BROKER_URL", "rediss://elsewhere.example:6379/0")
    assert load_settings().broker_url_for_devices == "rediss://elsewhere.example:6379/0"


def test_secrets_are_masked(environment: pytest.MonkeyPatch) -> None:
    shown = repr(load_settings())
    assert "p%40ss" not in shown
    assert "a store's secret" not in shown


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_missing_is_named_as_the_variable_to_set(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    with pytest.raises(InputError, match=name):
        load_settings()


@pytest.mark.parametrize("value", ["soon", "0", "-5"])
def test_what_makes_no_sense_is_named(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("OUTRIDER_PRESIGN_LIFETIME_SECONDS", value)
    with pytest.raises(InputError, match="OUTRIDER_PRESIGN_LIFETIME_SECONDS"):
        load_settings()


def test_settings_cannot_be_changed(settings: ControlSettings) -> None:
    with pytest.raises(ValidationError):
        setattr(settings, "database_url", SecretStr("another"))  # noqa: B010  the type checker refuses it as well


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("BROKER_URL", "redis://control:hush@broker.example:6379/0"),
        ("OUTRIDER_BROKER_USERS_URL", "redis://fleet:hush@broker.example:6379/0"),
        ("OUTRIDER_DEVICE_BROKER_URL", "redis://broker.example:6379/0"),
        ("OUTRIDER_PUBLIC_URL", "http://api.example"),
    ],
)
def test_an_address_without_tls_is_refused_unless_allowed_by_name(
    environment: pytest.MonkeyPatch, name: str, address: str
) -> None:
    environment.setenv(name, address)
    with pytest.raises(InputError, match="not encrypted") as caught:
        load_settings()
    assert caught.value.place == name
    assert "hush" not in str(caught.value)
    environment.setenv("OUTRIDER_ALLOW_INSECURE_API" if "PUBLIC" in name else "OUTRIDER_ALLOW_INSECURE_BROKER", "true")
    assert load_settings()
