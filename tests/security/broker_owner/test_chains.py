"""Chains as the control plane makes them, of jobs that are foreign or over, and with phases left out."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from contract.jobs import JobRef, JobState
from contract.phases import PHASES, Phase
from contract.policy import Requirements
from contract.queues import phase_task
from contract.rules import FileRule
from tests.security.broker_owner.messages import (
    Message,
    any_ref,
    assert_the_next_good_job_runs,
    body_of,
    chain_of,
    is_through,
    put,
    with_body,
)
from tests.security.conftest import RefusedBy
from tests.security.site import Agent, Site, enrolled_agent, eventually
from tests.worker.rig import Rig
from worker.rules.admission import Admission

pytestmark = pytest.mark.integration
ATTACKER = "the broker's owner"

FOREIGN = "sends chains of jobs that are not the device's"
AGAIN = "sends chains of finished jobs again"
SKIPPED = "sends chains that begin in the middle or leave phases out"


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
    monkeypatch.setattr("control.fleet.job_access.require_live", lambda *_: None)
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
