"""Where things answer, from the caller's environment and the chosen ports."""

import stat
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError
from deploy.local.addresses import StackAddresses, resolve, without_user
from deploy.local.broker_rules import BrokerUser
from deploy.local.layout import StackLayout
from deploy.local.outside import OutsideParts
from deploy.local.secret_values import StackSecrets

PORTS = {"broker": 20_001, "store": 20_002, "api": 20_003, "flower": 20_004}
STORE = {"S3_ENDPOINT": "https://s3.example", "S3_ACCESS_KEY": "them", "S3_SECRET_KEY": "theirs"}


def resolved(folder: Path, **environment: str) -> StackAddresses:
    outside = OutsideParts.from_environment(environment)
    return resolve(StackLayout.at(folder), outside, StackSecrets(), PORTS)


def test_without_anything_outside_all_is_on_loopback_and_below_the_folder(tmp_path: Path) -> None:
    addresses = resolved(tmp_path)
    assert addresses.api_url == "http://127.0.0.1:20003"
    assert addresses.device_broker_url == "redis://127.0.0.1:20001/0"
    assert addresses.broker_urls[BrokerUser.API].startswith("redis://api:")
    assert addresses.broker_urls[BrokerUser.FLOWER].startswith("redis://flower:")
    assert addresses.s3_endpoint == "http://127.0.0.1:20002"
    assert addresses.database_url == f"sqlite:///{tmp_path}/parts/control/outrider.db"


def test_what_the_environment_names_is_used_and_empty_means_unset(tmp_path: Path) -> None:
    addresses = resolved(tmp_path, DATABASE_URL="postgresql://db/o", BROKER_URL="", **STORE, S3_BUCKET="apps")
    assert addresses.database_url == "postgresql://db/o"
    assert addresses.broker_urls[BrokerUser.API].startswith("redis://api:")
    assert (addresses.s3_endpoint, addresses.s3_bucket, addresses.s3_region) == (
        "https://s3.example",
        "apps",
        "us-east-1",
    )


def test_devices_are_told_the_broker_without_its_user(tmp_path: Path) -> None:
    assert (
        resolved(tmp_path, BROKER_URL="rediss://me:se@cret@broker:6390/2").device_broker_url == "rediss://broker:6390/2"
    )
    told = resolved(tmp_path, BROKER_URL="redis://inside/0", OUTRIDER_DEVICE_BROKER_URL="rediss://outside/0")
    assert told.device_broker_url == "rediss://outside/0"


def test_a_url_without_a_user_stays_as_it_is() -> None:
    assert without_user("redis://[::1]:6379/0?x=1") == "redis://[::1]:6379/0?x=1"


@pytest.mark.parametrize("missing", ["S3_ACCESS_KEY", "S3_SECRET_KEY"])
def test_an_s3_endpoint_without_its_keys_is_refused_by_name(missing: str) -> None:
    with pytest.raises(InputError) as caught:
        OutsideParts.from_environment({**STORE, missing: ""})
    assert (caught.value.code, caught.value.place) == (ErrorCode.SETTINGS_INVALID, missing)


def test_addresses_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    addresses, file = resolved(tmp_path), tmp_path / "new" / "stack.json"
    addresses.save(file)
    assert StackAddresses.load(file) == addresses
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["stack.json"]


def test_there_are_no_addresses_before_the_first_start(tmp_path: Path) -> None:
    assert StackAddresses.load(tmp_path / "stack.json") is None


def test_a_spoiled_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text('{"api_url": 5')
    with pytest.raises(InputError) as caught:
        StackAddresses.load(file)
    assert caught.value.place == str(file)


def test_secrets_are_made_once_and_hidden(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    made = StackSecrets.load_or_make(file)
    assert StackSecrets.load_or_make(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    dumped = made.model_dump()
    values = [*dumped.pop("broker").values(), *dumped.values()]
    assert len(set(values)) == len(values)
    assert not any(value in repr(made) for value in values)
