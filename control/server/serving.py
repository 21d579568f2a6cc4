"""How the API is served: what uvicorn is told beside the app and its address."""

from typing import Any, Final

from control.server.bounded_http import BoundedHttp

#: Seconds for which a connection is kept on which nobody asks. Clients made with httpx, as agents and operators have,
#: give one up after 5 s; if the server did so at the same moment, a request that is just being sent would be lost.
KEEP_ALIVE_SECONDS: Final = 10

SERVING: Final[dict[str, Any]] = {
    "http": BoundedHttp,
    "log_config": None,
    "server_header": False,
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
}
