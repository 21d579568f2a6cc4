"""The setting that names further brokers."""

from collections.abc import Callable

import pytest

from contract.errors import InputError
from control.settings import ControlSettings, load_settings

GIVEN = {
    "DATABASE_URL": "sqlite:///control.db",
    "BROKER_URL": "rediss://worker:p%40ss@b1.example:6379/0",
    "OUTRIDER_BROKER_USERS_URL": "rediss://fleet:hush@b1.example:6379/0",
    "S3_ENDPOINT": "https://store.example",
    "S3_ACCESS_KEY": "key",
    "S3_SECRET_KEY": "secret",
    "OUTRIDER_STATE_DIR": "/var/lib/outrider",
}

Load = Callable[[str], ControlSettings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)

    def with_shards(text: str) -> ControlSettings:
        monkeypatch.setenv("OUTRIDER_BROKER_SHARDS", text)
        return load_settings()

    return with_shards


def test_one_broker_is_the_default(load: Load) -> None:
    (only,) = load("").shards
    assert (only.name, only.url) == ("first", GIVEN["BROKER_URL"])
    assert only.users_url == GIVEN["OUTRIDER_BROKER_USERS_URL"]
    assert only.device_url == "rediss://b1.example:6379/0"


def test_further_brokers_have_the_same_users_and_may_have_another_address_for_devices(load: Load) -> None:
    _, two, three = load("two=rediss://b2.example:6379/0 three=rediss://b3:6379/0,rediss://b3.example:6380/0").shards
    assert two.url == "rediss://worker:p%40ss@b2.example:6379/0"
    assert two.users_url == "rediss://fleet:hush@b2.example:6379/0"
    assert two.device_url == "rediss://b2.example:6379/0"
    assert three.url == "rediss://worker:p%40ss@b3:6379/0"
    assert three.device_url == "rediss://b3.example:6380/0"
    assert "p%40ss" not in repr(two)
    assert "hush" not in repr(two)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rediss://b2.example:6379/0", "expected NAME=ADDRESS"),
        ("two=amqps://b2.example", "shard two: expected redis:// or rediss://, found 'amqps'"),
        ("two=b2.example:6379", "shard two: expected redis:// or rediss://"),
        ("two=rediss:///0", "shard two: the address names no host"),
        ("two=rediss://me:hush@b2.example/0", "shard two: expected an address without user"),
        ("two=rediss://b2.example/0 two=rediss://b3.example/0", "shard two is there twice"),
        ("first=rediss://b2.example/0", "other than first, found 'first'"),
        ("Two=rediss://b2.example/0", "found 'Two'"),
        ("two=rediss://b1.example:6379/0", "found rediss://b1.example:6379/0 twice"),
        ("two=rediss://b2.example/0,rediss://b1.example:6379/0", "found rediss://b1.example:6379/0 twice"),
        ("two=rediss://b2.example/0 three=rediss://b2.example/0", "found rediss://b2.example/0 twice"),
        ("two=redis://b2.example:6379/0", "not encrypted; OUTRIDER_ALLOW_INSECURE_BROKER=true"),
        ("two=rediss://b2:6379/0,redis://b2.example:6379/0", "not encrypted"),
        ("two=rediss://b2.example:6379/0?ssl_cert_reqs=none", "certificates are always checked"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_place_and_no_secret(load: Load, text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        load(text)
    assert said in str(refused.value)
    assert "OUTRIDER_BROKER_SHARDS" in str(refused.value)
    assert "hush" not in str(refused.value)
