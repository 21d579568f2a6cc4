"""Looking for secrets in everything that the parts of a running stack keep, show and say."""

import base64
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import psutil
import redis

from tests.e2e.conftest import SECONDS, Demo
from tests.support.broker import url_of_tester
from worker.processes.mark import MARK

#: Base64 of the same bytes looks different after 0, 1 and 2 bytes before it.
_OFFSETS: Final = (0, 1, 2)
_SHORTEST: Final = 6
_FLOWER_PAGES: Final = ("/api/tasks", "/api/workers", "/workers?json=1", "/tasks", "/broker", "/api/task/types")


@dataclass(frozen=True)
class KnownSecret:
    """A value that must be nowhere but where it belongs.

    Attributes:
        belongs: The places it may be in.
    """

    name: str
    value: bytes
    belongs: frozenset[str] = frozenset()

    def forms(self) -> list[bytes]:
        """The value in each form that a file, a message or a page might hold it in."""
        raw = self.value
        found = [raw, raw.hex().encode(), raw.hex().upper().encode(), repr(raw)[2:-1].encode()]
        found += [base64.b32encode(raw).rstrip(b"=")]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found += [_inside(encode, raw, offset) for offset in _OFFSETS]
        if raw.isascii():
            text = raw.decode()
            found += [quote(text, safe="").encode(), json.dumps(text)[1:-1].encode(), text.encode("utf-16-le")]
        return [form for form in dict.fromkeys(found) if len(form) >= _SHORTEST]


def _inside(encode: Any, raw: bytes, offset: int) -> bytes:
    """Base64 of the value as it looks in the middle of something longer: without what its neighbours decide."""
    encoded: bytes = encode(bytes(offset) + raw)
    begin = (offset * 8 + 5) // 6
    end = (offset + len(raw)) * 8 // 6
    return encoded[begin:end]


Place = dict[str, bytes]


def findings(secrets: Iterable[KnownSecret], places: Mapping[str, Place]) -> list[str]:
    """Where which secret was found, in words."""
    return [
        f"{secret.name} in {place}: {name}"
        for secret in secrets
        for place, parts in places.items()
        if place not in secret.belongs
        for name, data in parts.items()
        if any(form in data for form in secret.forms())
    ]


def broker(demo: Demo) -> Place:
    """Every key with its value, the users, the settings, and what lies on the broker's disk."""
    with redis.Redis.from_url(url_of_tester(demo.stack.addresses.ports["broker"])) as client:
        found = {key.decode(errors="replace"): key + b" " + _value(client, key) for key in client.scan_iter("*")}
        found["ACL LIST"] = repr(client.execute_command("ACL", "LIST")).encode()
        found["CONFIG"] = repr(client.config_get("*")).encode()
        found["CLIENT LIST"] = repr(client.client_list()).encode()
    return found | files(demo.stack.layout.part("broker"))


def _value(client: Any, key: bytes) -> bytes:
    reading = {
        b"string": lambda: client.get(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1, withscores=True),
        b"hash": lambda: client.hgetall(key),
        b"stream": lambda: client.xrange(key),
    }
    value = reading.get(client.type(key), bytes)()
    return value if isinstance(value, bytes) else repr(value).encode()


@dataclass
class Overheard:
    """What went through the broker."""

    lines: list[bytes] = field(default_factory=list)

    def place(self) -> Place:
        return {f"command {number}": line for number, line in enumerate(self.lines)}


@contextmanager
def overhearing(demo: Demo) -> Iterator[Overheard]:
    """Listen to every command of every client of the broker while the block runs."""
    heard = Overheard()
    client = redis.Redis.from_url(url_of_tester(demo.stack.addresses.ports["broker"]))
    monitor: Any = client.monitor()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    with monitor:

        def listen() -> None:
            try:
                for command in monitor.listen():
                    heard.lines.append(json.dumps(command, default=str).encode())
            except (redis.ConnectionError, ValueError, OSError, AttributeError):
                # The connection was closed: the block has ended.
                return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            monitor.connection.disconnect()
            thread.join(10)
    client.close()


def files(*folders: Path, leave_out: Iterable[Path] = ()) -> Place:
    """All files below these folders."""
    left_out = set(leave_out)
    found: Place = {}
    for path in (path for folder in folders for path in _files(folder) if path not in left_out):
        # Its owner may have removed it meanwhile.
        with suppress(FileNotFoundError):
            found[str(path)] = path.read_bytes()
    return found


def _files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for path in (Path(where) / name for name in names):
            if path.is_file() and not path.is_symlink():
                yield path


def database(demo: Demo) -> Place:
    """The database's files as they lie there, and every row as text."""
    path = demo.stack.layout.database
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {f"table {name}": repr(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names}
    return {name: text.encode() for name, text in rows.items()} | {
        str(file): file.read_bytes() for file in path.parent.glob(f"{path.name}*")
    }


def flower(demo: Demo) -> Place:
    """What Flower's pages and its API show to somebody who knows the password."""
    addresses = demo.stack.addresses
    login = (addresses.flower_user, addresses.flower_password)
    with httpx.Client(base_url=addresses.flower_url, auth=login, timeout=SECONDS) as client:
        found = {path: client.get(path).content for path in _FLOWER_PAGES}
        for task in json.loads(found["/api/tasks"]):
            found[f"task {task}"] = client.get(f"/task/{task}").content
    return found


def processes() -> dict[str, Place]:
    """Every process's command line, and its environment unless it is an installer's, which is given secrets there."""
    lines: dict[str, bytes] = {}
    environments: dict[str, bytes] = {}
    for process in psutil.process_iter():
        try:
            name = f"{process.pid} {process.name()}"
            lines[name] = "\0".join(process.cmdline()).encode()
            environment = process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            # It has ended meanwhile, or is another user's, who was given nothing.
            continue
        if MARK not in environment:
            environments[name] = "\0".join(f"{key}={value}" for key, value in environment.items()).encode()
    return {"command lines": lines, "environments": environments}


def answers(demo: Demo, app: str, device: str) -> Place:
    """What the operators' API says of the job, its report included, and of all else there is."""
    job = demo.job(app, device)
    assert job is not None
    with httpx.Client(
        base_url=demo.operator.environment["OUTRIDER_URL"],
        headers={"Authorization": f"Bearer {demo.operator.environment['OUTRIDER_TOKEN']}"},
        timeout=SECONDS,
    ) as client:
        paths = ("/v1/apps", f"/v1/apps/{app}", "/v1/audit?limit=1000", "/v1/devices", "/v1/secrets", "/v1/tokens")
        found = {path: client.get(path).raise_for_status().content for path in paths}
        found["metrics"] = client.get("/metrics").content
    return found | {"job": job.model_dump_json().encode()}
