"""What a job costs the agent's process: all eleven phases for real, and the five of an app that is there already.

The agent is the real program with its ledger on disk, its logs and its second thread; it talks to a real broker, and by
HTTP to a control plane that answers from memory: what the real one costs is measured elsewhere. The job's command does
nothing but leave the file that its detection rule looks for. The baseline is a chain of eleven tasks that do nothing,
in a bare Celery worker with the stock transport, solo pool and lean flags, in turns with ours.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import redis
from celery import Celery, chain

from contract.phases import PHASES
from control.dispatch.celery_app import chain_template
from control.dispatch.ports import AddressedJob
from control.dispatch.redis_publisher import RedisJobPublisher
from deploy.local.control_parts import agent_part
from deploy.local.polling import wait_until
from tests.bench.agent_plane import Answers, EnrolledDevice, answering
from tests.bench.row import Row, Unit
from tests.support.broker import RunningBroker, running_broker
from tests.support.servers import running

#: A whole job beside the bare chain, and an early end beside the whole job.
AIM_JOB = 1.0
AIM_EARLY_END = 0.5

_JOBS, _QUICK_JOBS = 200, 15
_ROUNDS, _QUICK_ROUNDS = 3, 2
#: The bare chain is cheaper, and the system counts CPU in steps of 10 ms.
_CHAINS_A_JOB = 3
_WARM_UP = 5
_PATIENCE_SECONDS = 120
_STILL_SECONDS = 0.3
_MILLISECONDS = 1e3
_AREA = "agent job"
_BARE_QUEUE = "bare"
_BARE_TASK = "nothing"

_BARE_WORKER = f"""
import sys
import celery
app = celery.Celery("bare", broker=sys.argv[1])
app.conf.update(task_default_queue="{_BARE_QUEUE}", worker_enable_remote_control=False, task_ignore_result=True)
@app.task(name="{_BARE_TASK}")
def nothing(): pass
app.Worker(pool="solo", concurrency=1, without_gossip=True, without_mingle=True, without_heartbeat=True).start()
"""


def rows(quick: bool) -> list[Row]:
    """A whole job and an early end."""
    jobs, rounds = (_QUICK_JOBS, _QUICK_ROUNDS) if quick else (_JOBS, _ROUNDS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outrider-bench-")))
        broker = stack.enter_context(running_broker(folder))
        answers = stack.enter_context(answering())
        agent = stack.enter_context(_agent(folder, answers, broker))
        bare = stack.enter_context(_bare(broker))
        for _ in range(rounds):
            agent.measure(jobs, is_there=False)
            agent.measure(jobs, is_there=True)
            bare.measure(jobs * _CHAINS_A_JOB)
    whole, early = agent.milliseconds[False], agent.milliseconds[True]
    requests = f"{agent.requests[False]:.1f} requests; commands it started: {agent.children:.1f} ms"
    return [
        Row(_AREA, "a job, all phases", whole, bare.milliseconds, AIM_JOB, requests, unit=Unit.CPU_MILLISECONDS),
        Row(
            _AREA,
            "an early end beside a whole job",
            early,
            whole,
            AIM_EARLY_END,
            f"{agent.requests[True]:.1f} requests",
            unit=Unit.CPU_MILLISECONDS,
        ),
    ]


class _Agent:
    """The agent's process, and the best it did so far for one job.

    Attributes:
        milliseconds: Of its CPU, by whether the app was there already.
        requests: To the control plane and the content store, likewise.
        children: Milliseconds of the processes that it started for one job.
    """

    def __init__(
        self, process: psutil.Process, device: EnrolledDevice, answers: Answers, broker: RunningBroker
    ) -> None:
        self._process = process
        self._device = device
        self._answers = answers
        self._publisher = RedisJobPublisher(broker.control_url, chain_template())
        self.milliseconds = {False: float("inf"), True: float("inf")}
        self.requests = {False: 0.0, True: 0.0}
        self.children = float("inf")

    def run(self, count: int, *, is_there: bool) -> None:
        """So many jobs, one after the other."""
        jobs = [AddressedJob(self._device.id, self._device.publish(is_there=is_there)) for _ in range(count)]
        expected = len(self._answers.reports) + count
        self._publisher.publish(jobs)
        assert wait_until(lambda: len(self._answers.reports) >= expected, seconds=_PATIENCE_SECONDS), "jobs are missing"
        _wait_until_still(self._process)

    def measure(self, count: int, *, is_there: bool) -> None:
        """Run jobs and see what they cost."""
        before, asked = self._process.cpu_times(), self._answers.requests
        self.run(count, is_there=is_there)
        after = self._process.cpu_times()
        own = (after.user + after.system - before.user - before.system) / count * _MILLISECONDS
        self.milliseconds[is_there] = min(self.milliseconds[is_there], own)
        self.requests[is_there] = (self._answers.requests - asked) / count
        if not is_there:
            started = after.children_user + after.children_system - before.children_user - before.children_system
            self.children = min(self.children, started / count * _MILLISECONDS)


class _Bare:
    """The bare worker's process, and the best it did so far for one chain."""

    def __init__(self, process: psutil.Process, broker: RunningBroker) -> None:
        self._process = process
        self._broker = redis.Redis.from_url(broker.control_url)
        self._app = Celery(_BARE_QUEUE, broker=broker.control_url, set_as_current=False)
        self._app.conf.task_default_queue = _BARE_QUEUE
        self.milliseconds = float("inf")

    def run(self, count: int) -> None:
        """So many chains of eleven."""
        links = [self._app.signature(_BARE_TASK, immutable=True) for _ in PHASES]
        with self._app.producer_pool.acquire(block=True) as producer:
            for _ in range(count):
                chain(*links, app=self._app).apply_async(producer=producer)
        assert wait_until(self._is_done, seconds=_PATIENCE_SECONDS), "the bare worker does not end"

    def measure(self, count: int) -> None:
        """Run chains and see what they cost."""
        before = _cpu_seconds(self._process)
        self.run(count)
        self.milliseconds = min(self.milliseconds, (_cpu_seconds(self._process) - before) / count * _MILLISECONDS)

    def _is_done(self) -> bool:
        _wait_until_still(self._process)
        return self._broker.llen(_BARE_QUEUE) == 0


@contextmanager
def _agent(folder: Path, answers: Answers, broker: RunningBroker) -> Iterator[_Agent]:
    device = EnrolledDevice(folder / "device", answers, broker)
    environment = {
        "OUTRIDER_AGENT_STATE_DIR": str(device.state),
        "PATH": os.environ["PATH"],
    }
    with running(agent_part("agent", environment), folder) as process:
        agent = _Agent(process, device, answers, broker)
        for is_there in (False, True):
            agent.run(_WARM_UP, is_there=is_there)
        yield agent


@contextmanager
def _bare(broker: RunningBroker) -> Iterator[_Bare]:
    command = [sys.executable, "-W", "ignore", "-c", _BARE_WORKER, broker.control_url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            bare = _Bare(psutil.Process(child.pid), broker)
            bare.run(_WARM_UP)
            yield bare
        finally:
            child.terminate()


def _wait_until_still(process: psutil.Process) -> None:
    """Wait until a process has done nothing for a moment."""
    before = -1.0
    while (now := _cpu_seconds(process)) != before:
        before = now
        time.sleep(_STILL_SECONDS)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
