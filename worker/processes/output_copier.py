"""A program of its own: copies its standard input to a file that stays bounded, and leaves secrets out.

What to leave out comes first on its input, where nobody else can read it: the length of a JSON list of texts, then the
list. It is a process because installers outlive the agent, and what takes their output must do so, too. It imports
nothing but the standard library, so that it starts in moments and stays small; what only secrets need is imported where
there are any.
"""

import os
import sys

# As in `typing`, which itself takes longer than all else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import BinaryIO

_CHUNK_BYTES = 64 * 1024
_GAP = b"\n[... %15d bytes are left out here ...]\n"
_GAP_BYTES = len(_GAP % 0)
_ARGUMENTS = 3
_LENGTH_BYTES = 4
_NO_TEXTS = b"[]"
#: As everywhere in the agent's logs.
_STRUCK_OUT = b"[redacted]"
#: A file that is run is compiled each time, a module that is imported once.
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); import output_copier; output_copier.main(sys.argv[2:])"


def command(path: str, *, head_bytes: int, tail_bytes: int) -> list[str]:
    """What starts the copier.

    Args:
        path: Of the file.
        head_bytes: Kept of the beginning.
        tail_bytes: Kept of the end, at least; at most twice as much.
    """
    folder = os.path.dirname(__file__)  # noqa: PTH120  `pathlib` is more than all else here
    return [sys.executable, "-I", "-S", "-c", _PROGRAM, folder, path, str(head_bytes), str(tail_bytes)]


def header(secrets: "tuple[str, ...]") -> bytes:
    """What the copier is to be told first: which texts to leave out."""
    import json  # noqa: PLC0415  as said above

    texts = json.dumps(secrets).encode()
    return len(texts).to_bytes(_LENGTH_BYTES, "big") + texts


class Strike:
    """Strikes secrets out of output that comes piece by piece.

    What may be the beginning of a secret is held back until it is known whether it is one.
    """

    def __init__(self, secrets: "list[bytes]") -> None:
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._pattern = _pattern_of(self._secrets)
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """What can be written of all that came so far."""
        if self._pattern is None:
            return data
        data, done, begin = self._rest + data, [], 0
        while True:
            held = self._held_from(data, begin)
            match = self._pattern.search(data, begin)
            if match is None or match.start() >= held:
                break
            done += [data[begin : match.start()], _STRUCK_OUT]
            begin = match.end()
        self._rest = data[held:]
        return b"".join([*done, data[begin:held]])

    def end(self) -> bytes:
        """What was held back to the last."""
        rest, self._rest = self._rest, b""
        return rest if self._pattern is None else self._pattern.sub(_STRUCK_OUT, rest)

    def _held_from(self, data: bytes, begin: int) -> int:
        """Where the first text begins that may yet become a secret, or a longer one."""
        first = len(data)
        for secret in self._secrets:
            at = data.find(secret[:1], max(begin, len(data) - len(secret) + 1), first)
            while at >= 0:
                if secret.startswith(data[at:]):
                    first = at
                    break
                at = data.find(secret[:1], at + 1, first)
        return first


def _pattern_of(secrets: "list[bytes]") -> "re.Pattern[bytes] | None":
    if not secrets:
        return None
    import re  # noqa: PLC0415  as said above

    return re.compile(b"|".join(map(re.escape, secrets)))


class BoundedLog:
    """A file that keeps the beginning and the end of what is written to it.

    Args:
        file: Open for reading and writing, without a buffer.
        head_bytes: Kept of the beginning.
        tail_bytes: Kept of the end, at least; at most twice as much.
    """

    def __init__(self, file: "BinaryIO", *, head_bytes: int, tail_bytes: int) -> None:
        self._file = file
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._tail_begins = head_bytes
        self._left_out = 0

    def write(self, data: bytes) -> None:
        """Write at the end; what is in the middle goes when there is too much of it."""
        for first in range(0, len(data), self._tail_bytes):
            self._file.write(data[first : first + self._tail_bytes])
            if self._file.tell() >= self._tail_begins + 2 * self._tail_bytes:
                self._close_up()

    def _close_up(self) -> None:
        end = self._file.tell()
        kept_from = end - self._tail_bytes
        self._file.seek(kept_from)
        tail = self._file.read(self._tail_bytes)
        self._left_out += kept_from - self._tail_begins
        self._file.seek(self._head_bytes)
        self._file.write(_GAP % self._left_out + tail)
        self._file.truncate()
        self._tail_begins = self._head_bytes + _GAP_BYTES


def copy(source: int, log: BoundedLog, strike: Strike) -> None:
    """Copy until nobody holds the other end any more; a full disk ends the log, never the installer."""
    writes = True
    while chunk := os.read(source, _CHUNK_BYTES):
        writes = writes and _write(log, strike.feed(chunk))
    if writes:
        _write(log, strike.end())


def _write(log: BoundedLog, data: bytes) -> bool:
    try:
        log.write(data)
    except OSError:
        return False
    return True


def read_header(source: int) -> "list[bytes]":
    """The texts to leave out."""
    texts = _read(source, int.from_bytes(_read(source, _LENGTH_BYTES), "big"))
    if texts in {b"", _NO_TEXTS}:
        return []
    import json  # noqa: PLC0415  as said above

    return [text.encode() for text in json.loads(texts)]


def _read(source: int, size: int) -> bytes:
    data = b""
    while len(data) < size and (chunk := os.read(source, size - len(data))):
        data += chunk
    return data


def main(arguments: list[str]) -> None:
    """Copy standard input, then end the process: PATH HEAD_BYTES TAIL_BYTES."""
    path, head, tail = arguments[:_ARGUMENTS]
    strike = Strike(read_header(sys.stdin.fileno()))
    with open(path, "w+b", buffering=0) as file:  # noqa: PTH123  `pathlib` is more than all else here
        copy(sys.stdin.fileno(), BoundedLog(file, head_bytes=int(head), tail_bytes=int(tail)), strike)
    # Everything is written; to put the interpreter away takes longer than the copying.
    os._exit(0)
