"""How the API is served fits how it is asked."""

import httpx
import uvicorn
from fastapi import FastAPI

from control.server.serving import SERVING


def test_a_connection_at_rest_is_given_up_by_clients_first() -> None:
    expiry = httpx.Limits().keepalive_expiry
    assert expiry is not None
    # A server that is busy, or a network that is slow, may take a while to hear of a request that was sent in time.
    assert uvicorn.Config(FastAPI(), **SERVING).timeout_keep_alive >= 2 * expiry
