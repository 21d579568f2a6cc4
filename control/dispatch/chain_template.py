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

_ID_BYTES: Final = 16


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
            SAMPLE_REF.job_id: "job_id",
            str(SAMPLE_REF.generation): "generation",
            str(SAMPLE_REF.attempt): "attempt",
            device_queue(SAMPLE_DEVICE_ID): "queue",
            **{own_id: f"id_{number}" for number, own_id in enumerate(own_ids)},
        }
        self._own_ids = len(own_ids)
        found = re.compile("|".join(map(re.escape, gaps)))
        self._format = found.sub(lambda match: f"%({gaps[match[0]]})s", text.replace("%", "%%"))

    def message(self, device_id: str, ref: JobRef) -> bytes:
        """The message for a job on a device, as it is to stand in the device's queue."""
        digits = os.urandom(_ID_BYTES * self._own_ids).hex()
        values = {f"id_{number}": _uuid(digits, number) for number in range(self._own_ids)}
        values["job_id"] = ref.job_id
        values["generation"] = str(ref.generation)
        values["attempt"] = str(ref.attempt)
        values["queue"] = device_queue(device_id)
        return packed_text(self._format % values)


def _ids_of_links(sample: Mapping[str, Any], body: str) -> list[str]:
    _, _, embed = json.loads(body)
    return [sample["headers"]["id"], *(link["options"]["task_id"] for link in embed["chain"])]


def _uuid(digits: str, number: int) -> str:
    """A random UUID (version 4), cut from random digits: `uuid.uuid4` for each took longer than all else."""
    at = number * _ID_BYTES * 2
    first, second, third = digits[at : at + 8], digits[at + 8 : at + 12], digits[at + 13 : at + 16]
    return f"{first}-{second}-4{third}-a{digits[at + 17 : at + 20]}-{digits[at + 20 : at + 32]}"
