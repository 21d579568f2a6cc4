"""How a message stands in a device's queue: compressed against what the messages of all jobs have in common.

A chain of eleven links is 5 KB of JSON, of which a few hundred bytes are its own: ids. The rest is in the dictionary,
which both ends have (RFC 1950's preset dictionary). A message of another kind is kept whole, only larger; one that
nobody compressed is read as well.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

#: The first byte of a compressed message names its dictionary; JSON never begins with it.
_MARK: Final = b"\x01"
#: One message of a job, its ids made up. Devices of any age must have the same: a change needs a mark of its own.
_DICTIONARY: Final = files("contract").joinpath("queue_message_1.json").read_bytes().strip()
#: A message and the dictionary fit into this window (16 KB). It is copied for each message: zlib's defaults would make
#: that 256 KB, which a C library may take from the system and give back each time.
_WINDOW_BITS: Final = 14
_MEMORY_LEVEL: Final = 7
#: Nearly all is found in the dictionary at the lowest level already, in half the time.
_COMPRESSOR: Final = zlib.compressobj(1, wbits=_WINDOW_BITS, memLevel=_MEMORY_LEVEL, zdict=_DICTIONARY)


def packed(message: Mapping[str, Any]) -> bytes:
    """A message as kombu makes it, as it is to stand in a queue."""
    return packed_text(json.dumps({**message, "body": base64.b64decode(message["body"]).decode()}))


def packed_text(text: str) -> bytes:
    """The same, of the message's JSON with the body as plain text in it."""
    compressor = _COMPRESSOR.copy()
    return _MARK + compressor.compress(text.encode()) + compressor.flush()


def is_packed(raw: object) -> bool:
    """Whether something is a message that `packed` made."""
    return isinstance(raw, bytes) and raw.startswith(_MARK)


def unpacked(raw: bytes, *, most_bytes: int) -> dict[str, Any]:
    """The message as kombu made it.

    Args:
        raw: What stands in the queue.
        most_bytes: A larger message is not unpacked.

    Raises:
        ValueError: It is no message, or too large; the text says which.
    """
    if not is_packed(raw):
        return _message(raw, most_bytes)
    reader = zlib.decompressobj(zdict=_DICTIONARY)
    try:
        text = reader.decompress(raw[len(_MARK) :], most_bytes + 1)
    except zlib.error as error:
        raise ValueError(f"it cannot be decompressed: {error}") from error
    message = _message(text, most_bytes)
    if not reader.eof or reader.unused_data:
        raise ValueError("it does not end where it should")
    return {**message, "body": base64.b64encode(message["body"].encode()).decode()}


def _message(text: bytes, most_bytes: int) -> dict[str, Any]:
    """The message, if it has the parts that kombu relies on; its meaning is judged later."""
    if len(text) > most_bytes:
        raise ValueError(f"more than {most_bytes} bytes")
    try:
        message = json.loads(text)
        is_message = isinstance(message["body"], str) and _is_what_kombu_expects(message["properties"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("not a message") from error
    if not is_message:
        raise ValueError("not a message")
    found: dict[str, Any] = message
    return found


def _is_what_kombu_expects(properties: Mapping[str, Any]) -> bool:
    delivery = properties.get("delivery_info", {})
    encoding = properties.get("body_encoding", "base64")
    return isinstance(properties["delivery_tag"], str) and isinstance(delivery, dict) and encoding == "base64"
