"""Parts the caller already has, named by environment variables: the embedded ones are then not started."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from contract.error_codes import ErrorCode
from contract.errors import InputError

DEFAULT_BUCKET = "outrider"
DEFAULT_REGION = "us-east-1"


class OutsideStore(BaseModel):
    """An S3 endpoint outside the stack.

    Attributes:
        endpoint: Where it answers.
        bucket: The bucket for content.
        region: What requests are signed for.
        access_key: Its user.
        secret_key: That user's key.
    """

    model_config = ConfigDict(frozen=True)

    endpoint: str
    bucket: str
    region: str
    access_key: str
    secret_key: str = Field(repr=False)


class OutsideParts(BaseModel):
    """What the caller's environment names; None where the embedded part is wanted.

    Attributes:
        database_url: An SQLAlchemy URL.
        broker_url: As all parts of the control plane use it.
        device_broker_url: As devices reach it, without a user; None where it is `broker_url` without its user.
        store: An S3 endpoint.
    """

    model_config = ConfigDict(frozen=True)

    database_url: str | None = Field(default=None, repr=False)
    broker_url: str | None = Field(default=None, repr=False)
    device_broker_url: str | None = None
    store: OutsideStore | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables.

        Raises:
            InputError: `S3_ENDPOINT` is given without the keys to it.
        """
        return cls(
            database_url=environment.get("DATABASE_URL") or None,
            broker_url=environment.get("BROKER_URL") or None,
            device_broker_url=environment.get("OUTRIDER_DEVICE_BROKER_URL") or None,
            store=_store(environment),
        )


def _store(environment: Mapping[str, str]) -> OutsideStore | None:
    endpoint = environment.get("S3_ENDPOINT")
    if not endpoint:
        return None
    missing = [name for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY") if not environment.get(name)]
    if missing:
        raise InputError(ErrorCode.SETTINGS_INVALID, place=", ".join(missing), detail="S3_ENDPOINT is set without it.")
    return OutsideStore(
        endpoint=endpoint,
        bucket=environment.get("S3_BUCKET") or DEFAULT_BUCKET,
        region=environment.get("S3_REGION") or DEFAULT_REGION,
        access_key=environment["S3_ACCESS_KEY"],
        secret_key=environment["S3_SECRET_KEY"],
    )
