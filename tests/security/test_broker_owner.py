"""Whoever owns the broker, with every right on it, against a device: a real agent, API and store."""

import base64
import json
import pickle
import uuid
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy.orm import Session

from contract.jobs import JobRef, JobState
from contract.phases import PHASES, Phase
from contract.policy import Requirements
from contract.queues import device_queue, phase_task, processing_list
from contract.rules import FileRule
from contract.states import Outcome
from control.database.tables import Job, Revision
from control.dispatch.celery_app import chain_message
from deploy.local.polling import wait_until
from storage.objects.s3_settings import S3Settings
from tests.security.conftest import RefusedBy
from tests.security.site import WAIT_SECONDS, Agent, Site, enrolled_agent, eventually, running_site
from tests.support.broker import RunningBroker
from tests.worker.queue_end import ScriptedEngine, enrolled_device
from tests.worker.rig import Rig
from worker.celery_app import MOST_WAITING
from worker.rules.admission import Admission

pytestmark = pytest.mark.integration
ATTACKER = "the broker's owner"

POISON = "sends what is no message of a job"
FOREIGN = "sends chains of jobs that are not the device's"
AGAIN = "sends chains of finished jobs again"
SKIPPED = "sends chains that begin in the middle or leave phases out"

MEASURED = 'outrider_refused_by_devices_total{reason="message"}'
Message = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("broker-owner")


@pytest.fixture(scope="module")
def site(folder: Path, valkey: RunningBroker, swift: S3Settings) -> Iterator[Site]:
    store = swift.model_copy(update={"bucket": f"test-{uuid.uuid4().hex}"})
    # The devices here check in every second: what they count is to be seen soon.
    with running_site(folder, valkey, store, device_requests_per_second=50) as running:
        yield running


@pytest.fixture(scope="module")
def agent(site: Site, folder: Path) -> Iterator[Agent]:
    """One agent for all attacks: it is never to stop."""
    agent = enrolled_agent(site, folder, "desk-1")
    with agent.running(OUTRIDER_AGENT_CHECK_IN_INTERVAL_SECONDS="1"):
        yield agent


@pytest.fixture
def broker(valkey: RunningBroker) -> Iterator[redis.Redis]:
    """Every right there is."""
    with redis.Redis.from_url(valkey.control_url) as connection:
        yield connection


def chain_of(ref: JobRef) -> Message:
    """The message that begins an attempt, as the control plane makes it."""
    return chain_message(str(uuid.uuid4()), ref)


def any_ref() -> JobRef:
    return JobRef(job_id=str(uuid.uuid4()), generation=1, attempt=1)


def put(broker: redis.Redis, agent: Agent, *messages: Message | bytes) -> None:
    raw = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
    broker.lpush(device_queue(agent.device_id), *raw)


def is_through(broker: redis.Redis, agent: Agent) -> bool:
    """Whether the device has done with everything in its queue."""
    queue = device_queue(agent.device_id)
    return broker.llen(queue) == broker.llen(processing_list(queue)) == 0


def assert_the_next_good_job_runs(site: Site, agent: Agent, *, seconds: float = WAIT_SECONDS) -> None:
    """The device is what it was: the next app of an operator is installed, and nothing but that."""
    assert agent.is_alive()
    app, before = f"good-{uuid.uuid4().hex[:8]}", agent.ran
    site.deploy(app, agent.name)
    finished = lambda: site.job(app, agent.name).state is JobState.FINISHED  # noqa: E731
    eventually(finished, lambda: site.job(app, agent.name), seconds=seconds)
    assert site.job(app, agent.name).outcome is Outcome.INSTALLED
    assert agent.ran == [*before, app]


def with_body(message: Message, body: object) -> Message:
    return {**message, "body": base64.b64encode(json.dumps(body).encode()).decode()}


def body_of(message: Message) -> Any:
    return json.loads(base64.b64decode(message["body"]))


# --- what is no message -----------------------------------------------------------------------------------------------


class Touch:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def pickled(message: Message, home: Path) -> Message:
    body = base64.b64encode(pickle.dumps(Touch(home / "owned"))).decode()
    return {**message, "content-type": "application/x-python-serialize", "body": body}


def other_tag(message: Message, tag: object) -> Message:
    return {**message, "properties": {**message["properties"], "delivery_tag": tag}}


def with_link(message: Message, **changes: object) -> Message:
    args, kwargs, embed = body_of(message)
    return with_body(message, [args, kwargs, {**embed, "chain": [{**embed["chain"][0], **changes}]}])


def with_embed(message: Message, **changes: object) -> Message:
    args, kwargs, embed = body_of(message)
    return with_body(message, [args, kwargs, {**embed, **changes}])


CALLBACK = {"task": "outrider.install", "args": [], "kwargs": any_ref().model_dump(), "options": {}, "immutable": True}

#: The first byte says that the rest is compressed.
BOMB = b"\x01" + zlib.compress(bytes(1 << 30), level=1)

POISONS: dict[str, Callable[[Message, Path], Message | bytes]] = {
    "not JSON": lambda _message, _home: b"\xff\x00 not JSON",
    "nothing": lambda _message, _home: b"",
    "null": lambda _message, _home: b"null",
    "nested 100,000 deep": lambda _message, _home: b"[" * 100_000 + b"]" * 100_000,
    "a body nested 10,000 deep": lambda message, _home: {
        **message,
        "body": base64.b64encode(b"[" * 10_000 + b"]" * 10_000).decode(),
    },
    "20 MB": lambda message, _home: {**message, "filler": "x" * 20_000_000},
    "a megabyte of compressed zeros that would be a gigabyte": lambda _message, _home: BOMB,
    "compressed bytes that are none": lambda _message, _home: b"\x01" + bytes(100),
    "pickle": pickled,
    "pickle said to be JSON": lambda message, home: {**pickled(message, home), "content-type": "application/json"},
    "another content encoding": lambda message, _home: {**message, "body": "%%%", "content-encoding": "utf-7"},
    "no headers": lambda message, _home: {key: value for key, value in message.items() if key != "headers"},
    "a task that is none": lambda message, _home: {**message, "headers": {**message["headers"], "task": "os.system"}},
    "no properties": lambda message, _home: {key: value for key, value in message.items() if key != "properties"},
    "a delivery tag that is a list": lambda message, _home: other_tag(message, []),
    "an endless number": lambda message, _home: with_body(message, [[], {"job_id": 10**400}, {}]),
    "a command in place of a job": lambda message, _home: with_body(message, [[], {"command": "touch owned"}, {}]),
    "callbacks": lambda message, _home: with_embed(message, callbacks=[CALLBACK]),
    "a link into another queue": lambda message, _home: with_link(message, options={"queue": "device.x"}),
    "links of another job": lambda message, _home: with_link(message, kwargs=any_ref().model_dump()),
}


@pytest.mark.attack(POISON)
@pytest.mark.parametrize("poison", POISONS)
def test_poison_is_dropped_counted_and_shown(
    site: Site, agent: Agent, broker: redis.Redis, poison: str, refused_by: RefusedBy
) -> None:
    shown, measured, ran = site.show(agent.name).refused_messages, site.metric(MEASURED), agent.ran
    put(broker, agent, POISONS[poison](chain_of(any_ref()), agent.home))
    eventually(lambda: site.show(agent.name).refused_messages == shown + 1, lambda: agent.log[-3000:])
    assert site.metric(MEASURED) == measured + 1
    assert is_through(broker, agent)
    assert agent.ran == ran
    assert not (agent.home / "owned").exists()
    refused_by("dropped: refused_messages + 1")


@pytest.mark.attack(POISON)
def test_after_all_poison_the_next_good_job_runs(
    site: Site, agent: Agent, broker: redis.Redis, refused_by: RefusedBy
) -> None:
    put(broker, agent, *(make(chain_of(any_ref()), agent.home) for make in POISONS.values()))
    assert_the_next_good_job_runs(site, agent)


@pytest.mark.guard_removed(POISON)
def test_a_worker_that_looks_at_no_message_works_on_what_a_stranger_put_into_it(
    valkey: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message's chain holds another job's links; kombu and Celery by themselves do not mind."""
    monkeypatch.setattr("worker.celery_app.refusal", lambda *_: None)
    engine = ScriptedEngine()
    with enrolled_device(valkey) as device:
        device.send_job()
        device.put(with_link(device.take_message(), task="outrider.metadata", kwargs=any_ref().model_dump()))
        with device.working(engine):
            worked_on = {ref for _, ref in engine.wait_for(2)}
    assert len(worked_on) == 2


# --- chains that look like chains -------------------------------------------------------------------------------------


@pytest.fixture
def others_job(site: Site, folder: Path) -> JobRef:
    """A job of another device, which is switched off."""
    name = f"other-{uuid.uuid4().hex[:8]}"
    enrolled_agent(site, folder, name)
    site.publish(name)
    site.assign(name, name)
    return site.ref(name, name)


UNKNOWN = 'outrider_refused_requests_total{reason="unknown-job",side="device"}'


@pytest.mark.attack(FOREIGN)
def test_chains_of_foreign_and_invented_jobs_run_nothing(
    site: Site, agent: Agent, broker: redis.Redis, others_job: JobRef, refused_by: RefusedBy
) -> None:
    before, ran = site.metric(UNKNOWN), agent.ran
    put(broker, agent, *(chain_of(ref) for ref in (others_job, *(any_ref() for _ in range(10)))))
    eventually(lambda: site.metric(UNKNOWN) >= before + 11 and is_through(broker, agent), lambda: agent.log[-3000:])
    assert agent.ran == ran
    assert_the_next_good_job_runs(site, agent)
    refused_by("unknown-job")


@pytest.mark.guard_removed(FOREIGN)
def test_an_api_that_looks_at_no_device_has_the_foreign_job_installed(
    site: Site, agent: Agent, broker: redis.Redis, others_job: JobRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anybodys(session: Session, job_id: str, *_: object) -> tuple[Job, Revision]:
        job = session.get_one(Job, job_id)
        return job, session.get_one(Revision, (job.app_id, job.revision))

    monkeypatch.setattr("control.api.device_routes.live_revision", anybodys)
    before = len(agent.ran)
    put(broker, agent, chain_of(others_job))
    eventually(lambda: len(agent.ran) == before + 1, lambda: agent.log[-3000:])


@pytest.mark.attack(AGAIN)
@pytest.mark.parametrize("generation", [1, 2, 1_000_000])
def test_the_chain_of_a_finished_job_installs_nothing_again(
    site: Site, agent: Agent, broker: redis.Redis, generation: int, refused_by: RefusedBy
) -> None:
    app = f"done-{uuid.uuid4().hex[:8]}"
    site.deploy(app, agent.name)
    eventually(lambda: site.job(app, agent.name).state is JobState.FINISHED, lambda: agent.log[-3000:])
    (agent.home / app).unlink()
    ref, ran, before = site.ref(app, agent.name), agent.ran, site.metric(UNKNOWN)
    old = chain_of(ref.model_copy(update={"generation": generation}))
    put(broker, agent, old, old)
    eventually(lambda: is_through(broker, agent), lambda: agent.log[-3000:])
    assert_the_next_good_job_runs(site, agent)
    assert agent.ran[:-1] == ran
    if generation == ref.generation:
        refused_by("ledger: void, the attempt has ended")
    else:
        assert site.metric(UNKNOWN) > before
        refused_by("unknown-job")


@pytest.mark.guard_removed(AGAIN)
def test_a_device_that_has_lost_its_ledger_installs_again(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref)
    (rig.target / "editor").unlink()
    rig.run(ref)
    assert rig.installs() == 1
    rig.device.ledger.close()
    for path in rig.device.folders.state.glob("ledger.sqlite3*"):
        path.unlink()
    rig.start()
    rig.run(ref)
    assert rig.installs() == 2


# --- chains with phases left out --------------------------------------------------------------------------------------


def only(message: Message, *phases: Phase) -> Message:
    """The chain with these links alone."""
    args, kwargs, embed = body_of(message)
    first, names = phase_task(phases[0]), [phase_task(phase) for phase in phases[1:]]
    links = [link for link in embed["chain"] if link["task"] in names]
    return with_body(
        {**message, "headers": {**message["headers"], "task": first}}, [args, kwargs, {**embed, "chain": links}]
    )


def reversed_links(message: Message) -> Message:
    args, kwargs, embed = body_of(message)
    return with_body(message, [args, kwargs, {**embed, "chain": embed["chain"][::-1]}])


CUT_CHAINS: dict[str, Callable[[Message], list[Message]]] = {
    "install alone": lambda message: [only(message, Phase.INSTALL)],
    "every phase but the first, each alone": lambda message: [only(message, phase) for phase in PHASES[1:]],
    "backwards": lambda message: [only(message, phase) for phase in reversed(PHASES[1:])],
    "install right after poll": lambda message: [only(message, Phase.POLL, Phase.INSTALL)],
    "install after metadata, in messages of their own": lambda message: [
        only(message, phase) for phase in (Phase.METADATA, Phase.INSTALL)
    ],
    "links in reverse": lambda message: [reversed_links(message)],
}


@pytest.mark.attack(SKIPPED)
@pytest.mark.parametrize("cut", CUT_CHAINS)
def test_no_phase_runs_that_no_earlier_one_led_to(
    site: Site, agent: Agent, broker: redis.Redis, cut: str, refused_by: RefusedBy
) -> None:
    """The job is real and waits to be sent; the attacker knows its id and is faster."""
    app = f"cut-{uuid.uuid4().hex[:8]}"
    site.publish(app)
    site.assign(app, agent.name)
    ran, shown = agent.ran, site.show(agent.name).refused_messages
    messages = CUT_CHAINS[cut](chain_of(site.ref(app, agent.name)))
    put(broker, agent, *messages)
    eventually(lambda: is_through(broker, agent), lambda: agent.log[-3000:])
    assert agent.ran == ran
    if all(body_of(message)[2]["chain"] == [] for message in messages):
        eventually(lambda: site.show(agent.name).refused_messages == shown + len(messages))
        refused_by("ledger: no phase led to it, refused_messages + 1")
        site.dispatch()
    else:
        refused_by("ledger: goes on at its own next phase only")
        site.send_anew(app, agent.name)
    eventually(lambda: agent.ran == [*ran, app], lambda: agent.log[-3000:])


@pytest.mark.guard_removed(SKIPPED)
def test_a_device_that_takes_phases_as_they_come_installs_what_its_requirements_exclude(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmet = FileRule(path=str(rig.folder), file_or_folder_name="nowhere")
    ref = rig.new_job(requirements=Requirements(rules=(unmet,)))
    order = (Phase.POLL, Phase.METADATA, Phase.DOWNLOAD, Phase.UNPACK, Phase.INSTALL)
    for phase in order:
        rig.engine.run(phase, ref)
    assert rig.installs() == 0
    monkeypatch.setattr("worker.engine.admit", lambda *_, **__: Admission.DUE)
    for phase in order:
        rig.engine.run(phase, ref)
    assert rig.installs() == 1


# --- a flood ----------------------------------------------------------------------------------------------------------

FLOOD = "floods the queue with poison"
WAITING_FLOOD = "floods the queue with chains that wait for hours"

FLOOD_MESSAGES = 20_000
FLOOD_SECONDS = 100
WAITING_MESSAGES = 5_000
#: What the agent may take more while it lasts: its memory is bounded by what it holds, its disk by the logs' rotation.
MORE_MEMORY_BYTES = 150_000_000
MORE_DISK_BYTES = 60_000_000


def in_hours(message: Message) -> Message:
    eta = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
    tag = str(uuid.uuid4())
    headers = {**message["headers"], "eta": eta, "id": tag}
    return {**message, "headers": headers, "properties": {**message["properties"], "delivery_tag": tag}}


@pytest.mark.attack(FLOOD)
def test_a_flood_of_poison_is_dropped_and_costs_neither_memory_nor_disk(
    site: Site, agent: Agent, broker: redis.Redis, refused_by: RefusedBy
) -> None:
    shown, memory, disk = site.show(agent.name).refused_messages, agent.memory_bytes(), agent.disk_bytes()
    poison = json.dumps(chain_of(any_ref()) | {"body": "%%%"}).encode()
    for _ in range(FLOOD_MESSAGES // 1000):
        put(broker, agent, *([poison] * 1000))
    assert_the_next_good_job_runs(site, agent, seconds=FLOOD_SECONDS)
    eventually(lambda: site.show(agent.name).refused_messages == shown + FLOOD_MESSAGES)
    assert agent.memory_bytes() - memory < MORE_MEMORY_BYTES
    assert agent.disk_bytes() - disk < MORE_DISK_BYTES
    refused_by(f"dropped: refused_messages + {FLOOD_MESSAGES}")


@pytest.mark.attack(WAITING_FLOOD)
def test_a_flood_of_waiting_chains_is_held_up_to_a_bound(
    site: Site, agent: Agent, broker: redis.Redis, refused_by: RefusedBy
) -> None:
    shown, memory = site.show(agent.name).refused_messages, agent.memory_bytes()
    message, queue = chain_of(any_ref()), device_queue(agent.device_id)
    put(broker, agent, *(in_hours(message) for _ in range(WAITING_MESSAGES)))
    eventually(lambda: broker.llen(queue) == 0, lambda: agent.log[-3000:])
    assert broker.llen(processing_list(queue)) == MOST_WAITING
    dropped = WAITING_MESSAGES - MOST_WAITING
    eventually(lambda: site.show(agent.name).refused_messages == shown + dropped)
    assert agent.memory_bytes() - memory < MORE_MEMORY_BYTES
    assert_the_next_good_job_runs(site, agent)
    refused_by(f"dropped beyond {MOST_WAITING}: refused_messages + {dropped}")


@pytest.mark.guard_removed(FLOOD)
def test_without_the_look_at_messages_one_of_them_stops_the_worker(
    valkey: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.celery_app.refusal", lambda *_: None)
    engine = ScriptedEngine()
    with enrolled_device(valkey) as device:
        device.send_job()
        device.put(with_body(device.take_message(), 5))
        device.send_job()
        with device.working(engine):
            assert not wait_until(lambda: not engine.calls.empty(), seconds=3)
        assert sum(device.lengths()) == 2


@pytest.mark.guard_removed(WAITING_FLOOD)
def test_without_the_bound_all_of_them_are_held(valkey: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.celery_app.MOST_WAITING", None)
    more = MOST_WAITING + 200
    with enrolled_device(valkey) as device:
        device.send_job()
        message = device.take_message()
        for _ in range(more):
            device.put(in_hours(message))
        with device.working(ScriptedEngine()):
            eventually(lambda: device.lengths() == (0, more), device.lengths)
