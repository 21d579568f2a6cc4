"""Where everything of a stack answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field

from contract.error_codes import ErrorCode
from contract.errors import InputError
from deploy.local.broker_rules import BrokerUser
from deploy.local.files import write_private
from deploy.local.layout import StackLayout
from deploy.local.outside import DEFAULT_BUCKET, DEFAULT_REGION, OutsideParts
from deploy.local.ports import HOST
from deploy.local.secret_values import StackSecrets
from deploy.local.swift.layout import ACCESS_KEY

#: What people log in to Flower as.
DASHBOARD_USER = "operator"


class StackAddresses(BaseModel):
    """Where the parts of one stack answer and what opens them; kept in `stack.json`, mode 0600.

    Attributes:
        ports: The port of each embedded part that listens, by the part's name.
        api_url: The control plane's API, for operators and devices.
        database_url: The database, as SQLAlchemy takes it.
        broker_urls: The broker, as the user of each part.
        device_broker_url: The broker as devices are told it: without a user, each has its own.
        s3_endpoint: The content store.
        s3_bucket: The bucket for content.
        s3_region: What requests to it are signed for.
        s3_access_key: The store's user.
        s3_secret_key: That user's key.
        flower_url: The dashboard.
        flower_user: Who logs in there.
        flower_password: With what.
    """

    model_config = ConfigDict(frozen=True)

    ports: Mapping[str, int]
    api_url: str
    database_url: str = Field(repr=False)
    broker_urls: Mapping[BrokerUser, str] = Field(repr=False)
    device_broker_url: str
    s3_endpoint: str
    s3_bucket: str
    s3_region: str
    s3_access_key: str
    s3_secret_key: str = Field(repr=False)
    flower_url: str
    flower_user: str
    flower_password: str = Field(repr=False)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What `path` holds; None where there is no such file yet.

        Raises:
            InputError: The file is not what this version writes.
        """
        if not path.exists():
            return None
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValueError as error:
            detail = "Remove the stack's folder; it was made by another version."
            raise InputError(ErrorCode.DOCUMENT_INVALID, place=str(path), detail=detail) from error

    def save(self, path: Path) -> None:
        """Keep it for the next command."""
        write_private(path, self.model_dump_json(indent=2))


def resolve(
    layout: StackLayout, outside: OutsideParts, secrets: StackSecrets, ports: Mapping[str, int]
) -> StackAddresses:
    """Where everything answers, given the chosen ports and the parts that the caller already has."""
    broker = f"{HOST}:{ports['broker']}/0"
    embedded = {user: f"redis://{user}:{secrets.broker[user]}@{broker}" for user in BrokerUser}
    broker_urls = embedded if outside.broker_url is None else dict.fromkeys(BrokerUser, outside.broker_url)
    store = outside.store
    return StackAddresses(
        ports=dict(ports),
        api_url=f"http://{HOST}:{ports['api']}",
        database_url=outside.database_url or f"sqlite:///{layout.database}",
        broker_urls=broker_urls,
        device_broker_url=outside.device_broker_url or without_user(broker_urls[BrokerUser.API]),
        s3_endpoint=store.endpoint if store else f"http://{HOST}:{ports['store']}",
        s3_bucket=store.bucket if store else DEFAULT_BUCKET,
        s3_region=store.region if store else DEFAULT_REGION,
        s3_access_key=store.access_key if store else ACCESS_KEY,
        s3_secret_key=store.secret_key if store else secrets.store_key,
        flower_url=f"http://{HOST}:{ports['flower']}",
        flower_user=DASHBOARD_USER,
        flower_password=secrets.dashboard,
    )


def without_user(url: str) -> str:
    """The URL with user and password cut out."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
