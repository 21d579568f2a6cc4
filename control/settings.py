"""The settings of the control plane: one frozen object, read from the environment in one function."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.secure_addresses import require_encryption
from control.security.rate_limits import Rate
from control.shards.addresses import (
    BrokerShard,
    ShardAddress,
    parse_shards,
    shared_address,
    with_user_of,
    without_user,
)
from control.shards.hashing import FIRST_SHARD

_GIB = 1 << 30
_SHARDS = "OUTRIDER_BROKER_SHARDS"


def _env(name: str) -> AliasChoices:
    return AliasChoices(name)


class ControlSettings(BaseSettings):
    """Where the control plane's parts are, and how often it does what.

    Names without another one beside them are read from `OUTRIDER_<NAME>`.

    Attributes:
        database_url: `sqlite:///path` or `postgresql://...`; read from DATABASE_URL.
        broker_url: The broker, with the user of this part; read from BROKER_URL.
        broker_users_url: The broker, with the one user that makes devices' users; only the API needs it.
        device_broker_url: The broker as devices reach it, without user and secret; else derived from `broker_url`.
        broker_shards: Further brokers that devices are spread over; the users are the same at each.
        s3_endpoint: The content store; the five `s3_` settings are read from S3_ENDPOINT and so on.
        s3_public_endpoint: The content store as devices reach it, where that is another address.
        state_dir: Holds the key files; neither broker nor store nor database ever see them.
        policy_signer_command: Signs policies in place of the key files here; see `control.security.signer_protocol`.
        public_url: The API as devices and operators reach it.
        allow_insecure_broker: Take a broker on another machine without TLS, for this part and for devices.
        allow_insecure_api: Tell devices and operators an API on another machine without TLS.
        check_in_interval_seconds: How often devices are told to check in.
        online_slack_seconds: A device counts as online this much longer than its check-in interval.
        history_days: Jobs that were replaced by newer ones so long ago are moved to the archive.
        silence_limit_seconds: After this without a sign of life what was sent to an online device is sent anew.
        quiet_limit_seconds: After this without a sign of life the broker is asked whether it still has the job.
        expiry_days: Jobs of devices that were silent for so long are void; a device that returns gets what is due anew.
        dispatch_per_second: Jobs sent a second on average, by all workers together.
        dispatch_burst: Jobs sent at once after a quiet time.
        device_requests_at_once: Requests of devices in progress in one API process; more are asked to come again.
        device_requests_per_second: What a device may send in the long run, to each process of the API.
        device_request_burst: What it may send at once.
        max_package_bytes: Larger packages are refused while they are still being uploaded.
    """

    model_config = SettingsConfigDict(env_prefix="OUTRIDER_", frozen=True, extra="ignore", populate_by_name=True)

    database_url: SecretStr = Field(validation_alias=_env("DATABASE_URL"))
    broker_url: SecretStr = Field(validation_alias=_env("BROKER_URL"))
    broker_users_url: SecretStr | None = None
    device_broker_url: str | None = None
    broker_shards: Annotated[tuple[ShardAddress, ...], NoDecode] = ()
    s3_endpoint: str = Field(validation_alias=_env("S3_ENDPOINT"))
    s3_public_endpoint: str | None = Field(default=None, validation_alias=_env("S3_PUBLIC_ENDPOINT"))
    s3_region: str = Field(default="us-east-1", validation_alias=_env("S3_REGION"))
    s3_bucket: str = Field(default="outrider", validation_alias=_env("S3_BUCKET"))
    s3_access_key: str = Field(validation_alias=_env("S3_ACCESS_KEY"))
    s3_secret_key: SecretStr = Field(validation_alias=_env("S3_SECRET_KEY"))
    state_dir: Path
    policy_signer_command: str | None = None
    public_url: str = "http://127.0.0.1:8080"
    allow_insecure_broker: bool = False
    allow_insecure_api: bool = False
    check_in_interval_seconds: Annotated[float, Field(gt=0)] = 3600
    online_slack_seconds: Annotated[float, Field(ge=0)] = 600
    presign_lifetime_seconds: Annotated[float, Field(gt=0)] = 900
    policy_lifetime_days: Annotated[float, Field(gt=0)] = 30
    plan_interval_seconds: Annotated[float, Field(gt=0)] = 60
    dispatch_interval_seconds: Annotated[float, Field(gt=0)] = 5
    reconcile_interval_seconds: Annotated[float, Field(gt=0)] = 60
    rollout_interval_seconds: Annotated[float, Field(gt=0)] = 5
    tally_interval_seconds: Annotated[float, Field(gt=0)] = 5
    archive_interval_seconds: Annotated[float, Field(gt=0)] = 60
    history_days: Annotated[float, Field(gt=0)] = 90
    silence_limit_seconds: Annotated[float, Field(gt=0)] = 900
    quiet_limit_seconds: Annotated[float, Field(gt=0)] = 30
    expiry_days: Annotated[float, Field(gt=0)] = 30
    dispatch_per_second: Annotated[float, Field(gt=0)] = 100
    dispatch_burst: Annotated[int, Field(gt=0)] = 1000
    device_requests_at_once: Annotated[int, Field(gt=0)] = 200
    device_requests_per_second: Annotated[float, Field(gt=0)] = 5
    device_request_burst: Annotated[float, Field(ge=1)] = 100
    max_package_bytes: Annotated[int, Field(gt=0)] = 30 * _GIB

    @field_validator("broker_shards", mode="before")
    @classmethod
    def _parsed_shards(cls, value: object) -> object:
        return parse_shards(value) if isinstance(value, str) else value

    @property
    def online_window(self) -> timedelta:
        """How long after its last sign of life a device still counts as online."""
        return timedelta(seconds=self.check_in_interval_seconds + self.online_slack_seconds)

    @property
    def check_in_interval(self) -> timedelta:
        """How often devices are told to check in."""
        return timedelta(seconds=self.check_in_interval_seconds)

    @property
    def silence_limit(self) -> timedelta:
        """How long an online device may be silent about what was sent to it."""
        return timedelta(seconds=self.silence_limit_seconds)

    @property
    def quiet_limit(self) -> timedelta:
        """How long a device may be silent before the broker is asked whether it still has its job."""
        return timedelta(seconds=self.quiet_limit_seconds)

    @property
    def expiry(self) -> timedelta:
        """How long a device may be silent before its jobs are void."""
        return timedelta(days=self.expiry_days)

    @property
    def history(self) -> timedelta:
        """How long a job that was replaced by a newer one stays where it can be listed."""
        return timedelta(days=self.history_days)

    @property
    def policy_lifetime(self) -> timedelta:
        """How long a signed policy is valid."""
        return timedelta(days=self.policy_lifetime_days)

    @property
    def device_rate(self) -> Rate:
        """How many requests a device may send."""
        return Rate(per_second=self.device_requests_per_second, burst=self.device_request_burst)

    @property
    def presign_lifetime(self) -> timedelta:
        """How long a presigned URL is valid."""
        return timedelta(seconds=self.presign_lifetime_seconds)

    @property
    def shards(self) -> tuple[BrokerShard, ...]:
        """All brokers that devices listen at, the one at `broker_url` first."""
        own, users = self.broker_url.get_secret_value(), (self.broker_users_url or self.broker_url).get_secret_value()
        first = BrokerShard(FIRST_SHARD, own, users, self.broker_url_for_devices)
        further = (
            BrokerShard(shard.name, with_user_of(shard.url, own), with_user_of(shard.url, users), shard.device_url)
            for shard in self.broker_shards
        )
        return first, *further

    def broker_addresses(self) -> Sequence[tuple[str, str]]:
        """Every address of a broker, after the setting that holds it."""
        users_url = self.broker_users_url or self.broker_url
        return (
            ("BROKER_URL", self.broker_url.get_secret_value()),
            ("OUTRIDER_BROKER_USERS_URL", users_url.get_secret_value()),
            ("OUTRIDER_DEVICE_BROKER_URL", self.broker_url_for_devices),
            *((_SHARDS, url) for shard in self.broker_shards for url in (shard.url, shard.device_url)),
        )

    @property
    def broker_url_for_devices(self) -> str:
        """The broker's address as devices are told it, without user and secret."""
        return self.device_broker_url or without_user(self.broker_url.get_secret_value())


def load_settings() -> ControlSettings:
    """The settings of this process, from its environment.

    Raises:
        InputError: Some are missing or make no sense, all of them are named; an address lacks TLS; or two shards are
            one broker.
    """
    settings = _read_settings()
    for place, url in settings.broker_addresses():
        require_encryption(
            url, place=place, allowed_by="OUTRIDER_ALLOW_INSECURE_BROKER", allowed=settings.allow_insecure_broker
        )
    shared = shared_address(settings.shards)
    if shared is not None:
        detail = f"expected a broker of its own for each shard, found {shared} twice"
        raise InputError(ErrorCode.SETTINGS_INVALID, place=_SHARDS, detail=detail)
    require_encryption(
        settings.public_url,
        place="OUTRIDER_PUBLIC_URL",
        allowed_by="OUTRIDER_ALLOW_INSECURE_API",
        allowed=settings.allow_insecure_api,
    )
    return settings


def _read_settings() -> ControlSettings:
    try:
        return ControlSettings()
    except ValidationError as error:
        named = ", ".join(f"{_variable(entry['loc'])}: {entry['msg']}" for entry in error.errors())
        raise InputError(ErrorCode.SETTINGS_INVALID, detail=named) from error


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0])
    return name if name.isupper() else f"OUTRIDER_{name.upper()}"
