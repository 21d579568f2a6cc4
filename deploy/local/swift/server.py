"""Run the four servers of the embedded store in one process: `python -m deploy.local.swift.server FOLDER PORT`.

The three inner servers listen on ports the kernel chooses; the rings, Swift's tables of who holds what, are
written anew with those ports at each start. With one disk a ring has nothing to balance, so it is made in no time.
"""

# ruff: noqa: E402  Swift must patch the standard library before anything else is imported.
from swift.common.utils import monkey_patch

monkey_patch()

import socket
import sys
import warnings
from array import array
from pathlib import Path
from typing import Any

import eventlet
import eventlet.debug
import eventlet.hubs
import eventlet.wsgi
from eventlet import greenio
from swift.common import constraints, storage_policy, utils
from swift.common.http_protocol import SwiftHttpProtocol
from swift.common.ring import RingData
from swift.common.wsgi import RestrictedGreenPool, loadapp

from deploy.local.swift.layout import BACKENDS, DEVICE, PART_POWER, PROXY, conf_name

_HOST = "127.0.0.1"
_BACKLOG = 1024
_RING_BITS = 32
_MAX_CLIENTS = 1024
_CLIENT_TIMEOUT_SECONDS = 60


def main(folder: Path, port: int) -> None:
    """Serve until the process is ended."""
    eventlet.hubs.use_hub(utils.get_hub())
    eventlet.debug.hub_exceptions(False)
    warnings.filterwarnings("ignore", message="capitalize_response_headers is disabled")
    utils.set_swift_dir(str(folder))
    constraints.reload_constraints()
    storage_policy.reload_storage_policies()
    inner = {kind: _listen(0) for kind in BACKENDS}
    for kind, sock in inner.items():
        _write_ring(folder / f"{kind}.ring.gz", sock.getsockname()[1])
    servers = [eventlet.spawn(_serve, folder, kind, sock) for kind, sock in inner.items()]
    servers.append(eventlet.spawn(_serve, folder, PROXY, _listen(port)))
    for server in servers:
        server.wait()


def _listen(port: int) -> Any:
    sock = eventlet.listen((_HOST, port), family=socket.AF_INET, backlog=_BACKLOG)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _write_ring(path: Path, port: int) -> None:
    """A ring of one disk: every partition, one copy, at that port."""
    device = {
        "id": 0,
        "region": 1,
        "zone": 1,
        "ip": _HOST,
        "port": port,
        "replication_ip": _HOST,
        "replication_port": port,
        "device": DEVICE,
        "weight": 1.0,
        "meta": "",
    }
    RingData([array("H", [0] * 2**PART_POWER)], [device], _RING_BITS - PART_POWER).save(str(path))


def _serve(folder: Path, kind: str, sock: greenio.GreenSocket) -> None:
    """What Swift's own `run_server` does, without taking the event loop away from the other three."""
    app = loadapp(str(folder / conf_name(kind)), global_conf={"log_name": f"{kind}-server"})
    eventlet.wsgi.server(
        sock,
        app,
        utils.NullLogger(),
        custom_pool=RestrictedGreenPool(size=_MAX_CLIENTS),
        protocol=SwiftHttpProtocol,
        socket_timeout=_CLIENT_TIMEOUT_SECONDS,
        # S3 clients look for "ETag"; capitalizing would make it "Etag".
        capitalize_response_headers=False,
        url_length_limit=constraints.MAX_REQUEST_LINE,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
