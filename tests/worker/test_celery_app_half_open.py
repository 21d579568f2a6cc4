"""The everyday fault of laptops behind NAT: connections are forgotten on the way, bytes vanish, nobody is told."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from deploy.local.polling import wait_until
from tests.support.broker import RunningBroker
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.worker.queue_end import Device, ScriptedEngine, enrolled_device
from worker.handover import Handover, NextChain

pytestmark = [
    pytest.mark.integration,
    pytest.mark.faults,
    # Celery says at each lost connection what its next major version will do.
    pytest.mark.filterwarnings("ignore::celery.exceptions.CPendingDeprecationWarning"),
]

#: What the project promises.
NOTICED_WITHIN_SECONDS = 40.0


@pytest.fixture
def proxy(valkey: RunningBroker) -> Iterator[FaultProxy]:
    with fault_proxy(valkey.port) as proxy:
        yield proxy


@pytest.fixture
def device(valkey: RunningBroker, proxy: FaultProxy) -> Iterator[Device]:
    """A device that reaches the broker through the proxy; whoever sends it jobs does not."""
    with enrolled_device(valkey) as direct:
        through = direct.identity.broker_url.replace(str(valkey.port), str(proxy.port))
        yield replace(direct, identity=direct.identity.model_copy(update={"broker_url": through}))


def test_an_idle_device_takes_its_next_job_in_time(proxy: FaultProxy, device: Device) -> None:
    engine = ScriptedEngine()
    with device.working(engine):
        device.send_job()
        engine.wait_for(11)
        assert wait_until(lambda: device.lengths() == (0, 0), seconds=20)
        proxy.half_open()
        begin = time.monotonic()
        device.send_job()
        assert [phase for phase, _ in engine.wait_for(11)] == list(PHASES)
        assert time.monotonic() - begin < NOTICED_WITHIN_SECONDS
    assert device.lengths() == (0, 0)


def test_what_a_silent_connection_had_taken_is_taken_back(proxy: FaultProxy, device: Device) -> None:
    engine = ScriptedEngine()
    with device.working(engine):
        device.send_job()
        engine.wait_for(11)
        # With the next read on its way the broker gives it the first job, which then vanishes with the connection.
        assert wait_until(lambda: device.lengths() == (0, 0), seconds=20)
        proxy.half_open()
        jobs = {device.send_job(), device.send_job()}
        assert {ref for _, ref in engine.wait_for(22)} == jobs
    assert device.lengths() == (0, 0)


def test_a_device_that_installs_goes_on_in_time_and_repeats_nothing(proxy: FaultProxy, device: Device) -> None:
    begun: list[float] = []

    def script(phase: Phase, _ref: JobRef) -> Handover | None:
        if phase is Phase.INSTALL:
            proxy.half_open()
            begun.append(time.monotonic())
        return None

    engine = ScriptedEngine(script)
    with device.working(engine):
        device.send_job()
        assert [phase for phase, _ in engine.wait_for(11)] == list(PHASES)
        assert time.monotonic() - begun[0] < NOTICED_WITHIN_SECONDS
        second = device.send_job()
        assert {ref for _, ref in engine.wait_for(11)} == {second}
    assert engine.calls.empty()
    assert device.lengths() == (0, 0)


def test_a_chain_that_is_sent_into_the_void_is_sent_again(proxy: FaultProxy, device: Device) -> None:
    def script(phase: Phase, ref: JobRef) -> Handover | None:
        if phase is Phase.REPORT and ref.attempt == 1:
            proxy.half_open()
            return Handover(next_chain=NextChain(ref.next_attempt(), 0.0))
        return None

    engine = ScriptedEngine(script)
    with device.working(engine):
        first = device.send_job()
        engine.wait_for(11)
        begin = time.monotonic()
        assert {ref for _, ref in engine.wait_for(11)} == {first.next_attempt()}
        assert time.monotonic() - begin < NOTICED_WITHIN_SECONDS
    assert engine.calls.empty()
