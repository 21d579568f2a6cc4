"""Where the shards are: the form of OUTRIDER_BROKER_SHARDS, and each part's address at each of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.shards.hashing import FIRST_SHARD

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SCHEMES: Final = frozenset({"redis", "rediss"})
_FORM: Final = "NAME=ADDRESS or NAME=ADDRESS,DEVICES_ADDRESS"


@dataclass(frozen=True)
class ShardAddress:
    """A further shard as the setting names it; addresses hold neither user nor secret.

    Attributes:
        url: Where the control plane reaches it.
        device_url: Where devices reach it.
    """

    name: str
    url: str
    device_url: str


@dataclass(frozen=True)
class BrokerShard:
    """One shard as a part of the control plane uses it.

    Attributes:
        url: With the user of this part.
        users_url: With the one user that makes devices' users.
        device_url: As devices are told it, without user and secret.
    """

    name: str
    url: str = field(repr=False)
    users_url: str = field(repr=False)
    device_url: str


def parse_shards(text: str) -> tuple[ShardAddress, ...]:
    """The shards of a setting such as `two=rediss://b2.example:6379/0 three=rediss://b3.example:6379/0`.

    Raises:
        ValueError: A word has another form, or a name is there twice.
    """
    shards = tuple(_parsed(word) for word in text.split())
    _require_distinct([shard.name for shard in shards])
    return shards


def with_user_of(address: str, broker_url: str) -> str:
    """An address with the user and secret of another one."""
    user, at, _ = urlsplit(broker_url).netloc.rpartition("@")
    parts = urlsplit(address)
    return parts._replace(netloc=f"{user}{at}{parts.netloc}").geturl()


def without_user(broker_url: str) -> str:
    """An address without user and secret."""
    parts = urlsplit(broker_url)
    return parts._replace(netloc=_place(parts)).geturl()


def find_shards(shards: Iterable[BrokerShard], names: Iterable[str]) -> tuple[BrokerShard, ...]:
    """The shards with these names.

    Raises:
        InputError: There is no shard with one of them.
    """
    known = {shard.name: shard for shard in shards}
    for name in names:
        if name not in known:
            detail = f"expected one of {', '.join(known)}, found {name!r}"
            raise InputError(ErrorCode.SETTINGS_INVALID, place="OUTRIDER_BROKER_SHARDS", detail=detail)
    return tuple(known[name] for name in names)


def shared_address(shards: Iterable[BrokerShard]) -> str | None:
    """An address that two of the shards have, for the control plane or for devices; None where there is none."""
    known: set[tuple[str, str]] = set()
    for shard in shards:
        ours = {("control", without_user(shard.url)), ("devices", shard.device_url)}
        if known & ours:
            return min(known & ours)[1]
        known |= ours
    return None


def _parsed(word: str) -> ShardAddress:
    name, is_there, addresses = word.partition("=")
    if not is_there:
        raise ValueError(f"expected {_FORM}, found {len(word)} characters without `=`")
    if not _NAME.fullmatch(name) or name == FIRST_SHARD:
        raise ValueError(f"expected a name of a-z, 0-9 and -, other than {FIRST_SHARD}, found {name!r}")
    url, _, device_url = addresses.partition(",")
    return ShardAddress(name, _checked(name, url), _checked(name, device_url or url))


def _checked(name: str, address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"shard {name}: expected redis:// or rediss://, found {parts.scheme or 'no scheme'!r}")
    if parts.hostname is None:
        raise ValueError(f"shard {name}: the address names no host")
    if "@" in parts.netloc:
        raise ValueError(f"shard {name}: expected an address without user: the users are those of BROKER_URL")
    return address


def _require_distinct(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"shard {name} is there twice")


def _place(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
