"""Free TCP ports on loopback."""

import random
import socket
from collections.abc import Collection

from contract.error_codes import ErrorCode
from contract.errors import OutriderError

HOST = "127.0.0.1"

#: Below the range kernels take for outgoing connections (from 32768 on Linux, 49152 on macOS and Windows): a port that
#: a part gives up for a moment while it restarts cannot be taken by somebody's outgoing connection.
_FIRST = 20_000
_LAST = 31_999
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of the last owner that the kernel still remembers are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def find_free_port(*, avoid: Collection[int] = ()) -> int:
    """A port nobody listens on, chosen at random so that two stacks starting at once rarely choose the same.

    Raises:
        OutriderError: None was found.
    """
    chooser = random.SystemRandom()
    for _ in range(_TRIES):
        port = chooser.randint(_FIRST, _LAST)
        if port not in avoid and is_free(port):
            return port
    raise OutriderError(ErrorCode.STACK_FAILED, place=HOST, detail=f"no free port from {_FIRST} to {_LAST}")
