"""The message that starts a job's chain, as one text in which nothing but ids changes."""

import base64
import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final

from contract.jobs import JobRef
from contract.queue_messages import packed_text
from contract.queues import device_queue

#: The job and the device of the message that a template is cut from: nothing else in it looks like these.
SAMPLE_REF: Final = JobRef(
    job_id="5ab1ec0d-0000-4000-8000-000000000001", generation=900_000_000_000_001, attempt=900_000_000_000_002
)
SAMPLE_DEVICE_ID: Final = "5ab1ec0d-0000-4000-8000-000000000002"

_RANDOM_BYTES: Final = 15


class ChainTemplate:
    """Makes the messages that `job_chain(...).apply_async` would send, without making the chain.

    Args:
        sample: That message for `SAMPLE_REF` on `SAMPLE_DEVICE_ID`, as kombu makes it.
    """

    def __init__(self, sample: Mapping[str, Any]) -> None:
        body = base64.b64decode(sample["body"]).decode()
        text = json.dumps({**sample, "body": body})
        own_ids = [*_ids_of_links(sample, body), sample["properties"]["delivery_tag"]]
        gaps = {
            SAMPLE_REF.job_id: "%(job_id)s",
            str(SAMPLE_REF.generation): "%(generation)s",
            str(SAMPLE_REF.attempt): "%(attempt)s",
            device_queue(SAMPLE_DEVICE_ID): "%(queue)s",
            **{own_id: f"%(ids)s{number:02x}" for number, own_id in enumerate(own_ids)},
        }
        found = re.compile("|".join(map(re.escape, gaps)))
        self._format = found.sub(lambda match: gaps[match[0]], text.replace("%", "%%"))

    def message(self, device_id: str, ref: JobRef) -> bytes:
        """The message for a job on a device, as it is to stand in the device's queue."""
        values = {
            "job_id": ref.job_id,
            "generation": ref.generation,
            "attempt": ref.attempt,
            "queue": device_queue(device_id),
            "ids": _beginning_of_ids(),
        }
        return packed_text(self._format % values)


def _ids_of_links(sample: Mapping[str, Any], body: str) -> list[str]:
    _, _, embed = json.loads(body)
    return [sample["headers"]["id"], *(link["options"]["task_id"] for link in embed["chain"])]


def _beginning_of_ids() -> str:
    """All of a random UUID (version 4) but its last two digits, by which the ids of one message differ."""
    digits = os.urandom(_RANDOM_BYTES).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:28]}"
