"""Mutants of valid bytes, thousands of them: each means what it meant, or is refused with an error of the project."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from contract.errors import OutriderError
from contract.jobs import ID_PATTERN, JobRef
from contract.phases import PHASES
from contract.queue_messages import unpacked
from contract.queues import phase_task
from control.dispatch.celery_app import chain_template
from tests.security.conftest import Fuzz, RefusedBy
from tests.worker.rig import Rig
from worker.findings import Findings
from worker.message_guard import MAX_MESSAGE_BYTES, refusal
from worker.phases.context import PhaseContext
from worker.phases.metadata import metadata
from worker.uplink.memory import MemoryUplink
from worker.uplink.port import PolicyReply

ATTACKER = "the network"
POLICY_MUTANTS = "answers with mutants of a policy"

#: What has upset parsers before.
TOKENS = [b"null", b"-1", b"1e999", b"NaN", b'""', b"[]", b"{}", b"\\u0000", b"\\ud800", b"\xff", b"\x00", b"9" * 400]
SEED = 20260301


def mutants(original: bytes, count: int) -> Iterator[bytes]:
    """Bytes with one to three changes each."""
    random = Random(SEED)
    for _ in range(count):
        mutant = original
        for _ in range(random.randint(1, 3)):
            mutant = mutated(mutant, random)
        yield mutant


def mutated(data: bytes, random: Random) -> bytes:
    at, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    end = min(end, at + 40)
    match random.randrange(6):
        case 0 if at < len(data):
            return data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
        case 1:
            return data[:at] + data[end:]
        case 2:
            return data[:end] + data[at:end] + data[end:]
        case 3:
            return data[:at] + random.choice(TOKENS) + data[end:]
        case 4:
            return data[:at] + random.randbytes(4) + data[at:]
        case _:
            return data[: at or 1]


def json_mutants(original: bytes, count: int) -> Iterator[bytes]:
    """Well-formed JSON with one value exchanged, taken away or added."""
    random = Random(SEED)
    strange: list[Any] = [None, True, -1, 10**30, 1.5, "", "\0", "x" * 5000, [], {}, [[]], {"": None}]
    for _ in range(count):
        document = json.loads(original)
        holder = document
        while True:
            key = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            if not isinstance(holder[key], dict | list) or not holder[key] or random.random() < 0.1:
                break
            holder = holder[key]
        if random.random() < 0.1:
            del holder[key]
        else:
            holder[key] = random.choice(strange)
        yield json.dumps(document).encode()


# --- the reader of policies -------------------------------------------------------------------------------------------


@dataclass
class Bytes(MemoryUplink):
    """Answers with these bytes."""

    answer: bytes = b""

    def policy(self, ref: JobRef, *, known_digest: str | None) -> PolicyReply:
        return PolicyReply(hashlib.sha256(self.answer).hexdigest(), self.answer, 1)


def read(rig: Rig, uplink: Bytes, ref: JobRef, raw: bytes) -> Findings:
    """What the device makes of an answer."""
    uplink.answer = raw
    device = replace(rig.device, uplink=uplink)
    return metadata(PhaseContext(ref, device, Findings(), lambda *_: None, rig.clock.now())).findings


@pytest.mark.attack(POLICY_MUTANTS)
@pytest.mark.parametrize("make", [mutants, json_mutants])
def test_a_mutant_of_a_policy_means_the_same_or_is_refused(
    rig: Rig, make: Any, fuzz: Fuzz, refused_by: RefusedBy
) -> None:
    ref, uplink = rig.new_job(), Bytes(policies=rig.uplink.policies)
    valid = rig.uplink.policies[ref.job_id].to_json().encode()
    meaning = read(rig, uplink, ref, valid).model_dump(exclude={"policy_digest"})
    codes: dict[str, int] = {}
    for mutant in make(valid, fuzz.times(3000)):
        try:
            found = read(rig, uplink, ref, mutant)
        except OutriderError as error:
            codes[error.code.slug] = codes.get(error.code.slug, 0) + 1
        else:
            assert found.model_dump(exclude={"policy_digest"}) == meaning, mutant
    assert codes
    for code in codes:
        refused_by(code)


@pytest.mark.guard_removed(POLICY_MUTANTS)
def test_without_the_signatures_check_mutants_are_taken_for_policies(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract.envelopes._holds", lambda *_: True)
    ref, uplink = rig.new_job(), Bytes(policies=rig.uplink.policies)
    valid = json.loads(rig.uplink.policies[ref.job_id].to_json())
    payload = base64.urlsafe_b64decode(valid["payload"]).replace(b'"Editor"', b'"Hijack"')
    changed = json.dumps({**valid, "payload": base64.urlsafe_b64encode(payload).decode()}).encode()
    assert read(rig, uplink, ref, changed).app_name == "Hijack"


# --- the reader of messages -------------------------------------------------------------------------------------------

REF = JobRef(job_id="11111111-2222-4333-8444-555555555555", generation=1, attempt=1)
DEVICE = "99999999-2222-4333-8444-555555555555"
TASKS = {phase_task(phase) for phase in PHASES}


def is_a_job(kwargs: Any) -> bool:
    numbers = (kwargs["generation"], kwargs["attempt"])
    return (
        kwargs.keys() == {"job_id", "generation", "attempt"}
        and re.fullmatch(ID_PATTERN, kwargs["job_id"]) is not None
        and all(type(number) is int and number >= 1 for number in numbers)
    )


def assert_is_only_links_of_one_job(message: dict[str, Any]) -> None:
    """Said again in other words than the guard's own: ids, phases, nothing that runs or is sent elsewhere."""
    args, kwargs, embed = json.loads(base64.b64decode(message["body"]))
    assert args == []
    assert is_a_job(kwargs)
    assert message["headers"]["task"] in TASKS
    assert {name for name, value in embed.items() if value is not None} <= {"chain"}
    for link in embed.get("chain") or []:
        assert link["task"] in TASKS
        assert (link["args"], link["kwargs"], link["immutable"]) == ([], kwargs, True)
        assert link["options"].keys() <= {"task_id", "reply_to"}


def let_in(raw: bytes) -> dict[str, Any] | None:
    """The message where the device lets it in."""
    try:
        message = unpacked(raw, most_bytes=MAX_MESSAGE_BYTES)
    except ValueError:
        return None
    return message if refusal(message) is None else None


def with_plain_body(message: dict[str, Any]) -> bytes:
    return json.dumps({**message, "body": json.loads(base64.b64decode(message["body"]))}).encode()


def packed_again(mutant: bytes) -> bytes:
    document = json.loads(mutant)
    if isinstance(document, dict) and "body" in document:
        document["body"] = base64.b64encode(json.dumps(document["body"]).encode()).decode()
    return json.dumps(document).encode()


@pytest.mark.parametrize("layer", ["as it stands in the queue", "unpacked", "its values"])
def test_a_mutant_of_a_message_is_only_links_of_one_job_or_not_let_in(layer: str, fuzz: Fuzz) -> None:
    raw = chain_template().message(DEVICE, REF)
    message = unpacked(raw, most_bytes=MAX_MESSAGE_BYTES)
    count, refused = fuzz.times(10_000), 0
    match layer:
        case "as it stands in the queue":
            made = mutants(raw, count)
        case "unpacked":
            made = mutants(json.dumps(message).encode(), count)
        case _:
            made = map(packed_again, json_mutants(with_plain_body(message), count))
    assert let_in(raw) == message
    for mutant in made:
        found = let_in(mutant)
        refused += found is None
        if found is not None:
            assert_is_only_links_of_one_job(found)
    assert refused > count // 10
