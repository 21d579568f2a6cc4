"""The broker dies, by kill -9, at the worst moments of a link, and comes back."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from deploy.local.ports import find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part
from tests.support.broker import RunningBroker, let_tester_in
from tests.support.servers import running
from tests.worker.queue_end import SECONDS, Device, ScriptedEngine, enrolled_device
from worker.handover import Handover

pytestmark = [
    pytest.mark.integration,
    # Celery says at each lost connection what its next major version will do.
    pytest.mark.filterwarnings("ignore::celery.exceptions.CPendingDeprecationWarning"),
]

#: Longer than Celery's own patience with a publish.
AWAY_SECONDS = 4.0


@dataclass
class FrailBroker:
    """A broker with a folder and a port of its own that can be killed and started again."""

    folder: Path
    port: int = field(default_factory=find_free_port)
    secrets: StackSecrets = field(default_factory=StackSecrets)
    lives: ExitStack = field(default_factory=ExitStack)
    process: psutil.Process | None = None
    revival: SimpleQueue[threading.Timer] = field(default_factory=SimpleQueue)
    died: bool = False

    def start(self) -> None:
        part = broker_part(self.folder, self.port, self.secrets)
        self.process = self.lives.enter_context(running(part, self.folder))

    def die_for_a_while(self) -> None:
        """Once; later calls do nothing."""
        if self.died:
            return
        self.died = True
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        timer = threading.Timer(AWAY_SECONDS, self.start)
        timer.start()
        self.revival.put(timer)

    def wait_until_back(self) -> None:
        self.revival.get(timeout=SECONDS).join()

    @property
    def addresses(self) -> RunningBroker:
        return RunningBroker(port=self.port, users_file=self.folder / "users.acl", secrets=self.secrets)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[FrailBroker]:
    let_tester_in(tmp_path)
    frail = FrailBroker(tmp_path)
    with frail.lives:
        frail.start()
        yield frail


@pytest.fixture
def device(broker: FrailBroker) -> Iterator[Device]:
    with enrolled_device(broker.addresses) as device:
        yield device


@pytest.mark.parametrize("phase", [Phase.INSTALL, Phase.REPORT], ids=["between two links", "at the last link"])
def test_a_link_that_ends_while_the_broker_is_away_is_handed_on_or_ended_when_it_is_back(
    broker: FrailBroker, device: Device, phase: Phase
) -> None:
    def script(now: Phase, _ref: JobRef) -> Handover | None:
        if now is phase:
            broker.die_for_a_while()
        return None

    device.send_job()
    engine = ScriptedEngine(script)
    with device.working(engine):
        assert [phase for phase, _ in engine.wait_for(11)] == list(PHASES)
        broker.wait_until_back()
        second = device.send_job()
        assert {ref for _, ref in engine.wait_for(11)} == {second}
    assert engine.calls.empty()
    assert device.lengths() == (0, 0)
