"""An agent is told to stop while its broker is away and a hand-over is tried again and again."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from contract.phases import PHASES, Phase
from tests.support.broker import RunningBroker
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.worker.queue_end import ScriptedEngine, enrolled_device
from worker.departure import IDLE_LIMIT_SECONDS

pytestmark = [pytest.mark.integration, pytest.mark.faults]

AGENT = """\
import sys
from contract.clock import SystemClock
from worker.activity import Activity
from worker.celery_app import run_worker
from worker.departure import Departure
from worker.handover import Handover
from worker.identity import Identity

activity = Activity(SystemClock())

class Runner:
    def run(self, phase, ref, *, turn=0):
        with activity.working_on(ref):
            print(phase.value, file=sys.stderr, flush=True)
            if phase.value == "detect":
                sys.stdin.readline()
        return Handover(go_on_at=phase.follower)

departure = Departure(activity, SystemClock(), limit_seconds=3600)
run_worker(Identity.from_json(sys.argv[1]), Runner(), on_stop=departure.ask)
"""
SLACK_SECONDS = 10


@pytest.fixture
def proxy(valkey: RunningBroker) -> Iterator[FaultProxy]:
    with fault_proxy(valkey.port) as proxy:
        yield proxy


def test_it_ends_promptly_and_the_chain_goes_on_after_the_next_start(valkey: RunningBroker, proxy: FaultProxy) -> None:
    with enrolled_device(valkey) as device:
        through = device.identity.broker_url.replace(str(valkey.port), str(proxy.port))
        identity = device.identity.model_copy(update={"broker_url": through})
        device.send_job()
        command = [sys.executable, "-c", AGENT, identity.to_json()]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as agent:
            assert agent.stdin is not None
            assert agent.stderr is not None
            assert [agent.stderr.readline().strip() for _ in range(3)] == ["poll", "metadata", "detect"]
            proxy.refuse()
            agent.stdin.write("go on\n")
            agent.stdin.flush()
            asked = time.monotonic()
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(IDLE_LIMIT_SECONDS + SLACK_SECONDS) == 0
            assert time.monotonic() - asked < IDLE_LIMIT_SECONDS + SLACK_SECONDS
        engine = ScriptedEngine()
        with device.working(engine):
            phases = [phase for phase, _ in engine.wait_for(len(PHASES) - 2)]
        assert phases == list(PHASES[Phase.DETECT.position - 1 :])
