"""A real agent moves from one real broker to another with a job under way, whatever is killed meanwhile."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from contract.queues import device_broker_user, device_queue, processing_list
from contract.states import Outcome
from control.bootstrap import make_callers
from control.database.tables import Device
from control.fleet.devices import find_device
from control.shards import moving
from control.shards.moving import begin_moves
from control.work import call_now
from storage.objects.s3_settings import S3Settings
from tests.support.broker import RunningBroker, running_broker
from tests.worker.real_job import AgentProcess, Plane, enrolled_agent, real_plane, wait_for
from worker.identity import load_identity

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]


@dataclass
class Shards:
    """Two brokers, a control plane that knows both, and a device that is at one and is to go to the other."""

    plane: Plane
    brokers: dict[str, RunningBroker]
    agent: AgentProcess

    def device(self) -> Device:
        with self.plane.services.database.snapshot() as session:
            return find_device(session, "desk-1")

    @property
    def home(self) -> str:
        return self._home

    def __post_init__(self) -> None:
        self._home = self.device().broker_shard
        self.target = next(name for name in self.brokers if name != self._home)

    def begin(self) -> None:
        """What `outrider-control shards move --without HOME` does."""
        services = self.plane.services
        now = services.clock.now()
        with services.database.transaction() as session:
            ids, users, since = [self.device().id], services.brokers.users, now - services.settings.online_window
            assert begin_moves(session, ids, [self.target], users, online_since=since, now=now) == 1

    def call(self) -> None:
        call_now(self.plane.services, make_callers(self.plane.settings.shards))

    def is_told(self) -> bool:
        """Whether the device has written down where it goes."""
        kept = load_identity(self.agent.home / "state" / "identity.json")
        return kept.broker_url == self.brokers[self.target].device_url

    def is_over(self) -> bool:
        row = self.device()
        return row.broker_shard == self.target and row.left_shard is None

    def left_behind(self) -> list[object]:
        queue, user = device_queue(self.device().id), device_broker_user(self.device().id)
        with redis.Redis.from_url(self.brokers[self._home].control_url) as old:
            lists = [name for name in (queue, processing_list(queue)) if old.exists(name)]
            return [*lists, *([user] if user in old.acl_users() else [])]

    def installed(self) -> bool:
        return self.plane.job().outcome is Outcome.INSTALLED

    def check_the_end(self) -> None:
        """The move is over, the job ended installed, its installer ran once, and nothing is left behind."""
        wait_for(self.is_over, self.agent)
        wait_for(self.installed, self.agent)
        assert (self.agent.home / "begun").read_text(encoding="utf-8") == "begun\n"
        assert (self.agent.home / "ended").read_text(encoding="utf-8") == "ended\n"
        assert self.plane.job().attempt == 1
        assert self.plane.job().generation == 1, "nothing had to be sent anew"
        assert self.left_behind() == []


@pytest.fixture
def make_shards(
    tmp_path: Path, valkey: RunningBroker, s3_settings: S3Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[float], Shards]]:
    # A minute more would only make the tests a minute longer.
    monkeypatch.setattr(moving, "_AFTERMATH", moving._AFTERMATH / 30)
    with ExitStack() as stack:
        two = stack.enter_context(running_broker(tmp_path / "two"))

        def make(check_in_interval_seconds: float) -> Shards:
            plane = stack.enter_context(
                real_plane(
                    tmp_path,
                    s3_settings,
                    broker_url=SecretStr(valkey.control_url),
                    broker_shards=f"two={two.device_url}",
                    check_in_interval_seconds=check_in_interval_seconds,
                )
            )
            return Shards(plane, {"first": valkey, "two": two}, enrolled_agent(tmp_path, plane))

        yield make


@pytest.fixture
def shards(make_shards: Callable[[float], Shards]) -> Shards:
    """With a device that checks in every other second."""
    return make_shards(2)


def test_a_device_moves_while_its_installer_runs_and_the_job_ends_installed_once(shards: Shards) -> None:
    agent = shards.agent
    (agent.home / "hold").touch()
    with agent.running():
        shards.plane.deploy()
        wait_for((agent.home / "begun").exists, agent)
        shards.begin()
        wait_for(shards.is_told, agent)
        assert not shards.is_over(), "the phase in progress is finished first"
        (agent.home / "hold").unlink()
        shards.check_the_end()


def test_a_device_at_rest_is_called_and_moves_and_a_job_that_is_sent_meanwhile_is_done(
    make_shards: Callable[[float], Shards],
) -> None:
    shards = make_shards(3600)
    agent = shards.agent
    with agent.running():
        wait_for(lambda: "ready." in agent.log.read_text(encoding="utf-8"), agent)
        shards.begin()
        shards.plane.deploy()
        shards.call()
        shards.check_the_end()


def test_a_job_that_waits_in_the_queue_of_a_device_that_is_off_is_brought_after_it(shards: Shards) -> None:
    agent = shards.agent
    shards.plane.deploy()
    shards.begin()
    assert len(shards.left_behind()) == 2
    with agent.running():
        shards.check_the_end()


@pytest.mark.parametrize("moment", ["before it is told", "when it knows where to go"])
def test_an_agent_that_is_killed_on_its_way_arrives_and_the_job_ends_installed_once(
    shards: Shards, moment: str
) -> None:
    agent = shards.agent
    (agent.home / "hold").touch()
    with agent.running() as process:
        shards.plane.deploy()
        wait_for((agent.home / "begun").exists, agent)
        if moment == "before it is told":
            process.send_signal(signal.SIGSTOP)
            shards.begin()
        else:
            shards.begin()
            wait_for(shards.is_told, agent)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with agent.running():
        wait_for(shards.is_told, agent)
        (agent.home / "hold").unlink()
        shards.check_the_end()
