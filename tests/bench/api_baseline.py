"""The baseline of the API's rows: routes of the same shape that read a body and do nothing, behind uvicorn."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psutil

from deploy.local.polling import wait_until
from deploy.local.ports import HOST, find_free_port

_START_SECONDS = 30

_SERVER = """
import sys
from typing import Annotated
import uvicorn
from fastapi import Depends, FastAPI, Request
app = FastAPI()
async def raw_body(request: Request) -> bytes:
    return await request.body()
@app.post("/{rest:path}")
def post(rest: str, body: Annotated[bytes, Depends(raw_body)]) -> dict[str, bool]:
    return {"stored": True}
@app.get("/{rest:path}")
def get(rest: str) -> dict[str, bool]:
    return {"stored": True}
uvicorn.run(app, host=sys.argv[1], port=int(sys.argv[2]), log_config=None, server_header=False)
"""


@dataclass(frozen=True)
class Server:
    """A process that serves requests at an address."""

    process: psutil.Process
    address: str


@contextmanager
def route_that_does_nothing() -> Iterator[Server]:
    """The baseline's server, until the end of the block."""
    port = find_free_port()
    command = [sys.executable, "-c", _SERVER, HOST, str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            address = f"http://{HOST}:{port}"
            assert wait_until(lambda: _answers(address), seconds=_START_SECONDS), "the baseline does not answer"
            yield Server(psutil.Process(child.pid), address)
        finally:
            child.terminate()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.TransportError:
        return False
