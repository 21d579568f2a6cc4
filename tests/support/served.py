"""An app behind a real server, in a thread of the tests' own process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from control.server.serving import SERVING
from deploy.local.polling import wait_until
from deploy.local.ports import HOST

_START_SECONDS = 20


@contextmanager
def served(app: FastAPI, *, port: int = 0, graceful_seconds: int | None = None) -> Iterator[str]:
    """The address of the app, until the end of the block.

    Args:
        port: Where it listens; 0 takes any that is free.
        graceful_seconds: How long open requests are waited for at the end; None waits for all of them.
    """
    options = SERVING | {"timeout_graceful_shutdown": graceful_seconds}
    config = uvicorn.Config(app, host=HOST, port=port, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert wait_until(lambda: server.started, seconds=_START_SECONDS), "the server does not start"
        yield f"http://{HOST}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
