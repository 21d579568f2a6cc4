"""The device's end of the queue: the only file of the agent that knows Celery.

It turns a message into a call of the engine, and the engine's handover into what follows in the queue.
"""

import socket
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from celery import Celery, Task
from celery.signals import task_prerun, worker_shutting_down
from celery.worker import state as worker_state
from celery.worker.consumer import Consumer
from kombu import Connection, Queue
from kombu.asynchronous import set_event_loop
from kombu.exceptions import OperationalError

from contract.celery_process import prepare_celery_process
from contract.exit_statuses import ExitStatus
from contract.job_chain import job_chain
from contract.jobs import JobRef
from contract.moving_transport import TRANSPORT_NAME
from contract.phases import PHASES, Phase
from contract.queues import SYNC_TASK, device_queue, phase_task
from contract.secure_addresses import broker_tls
from worker.handover import Handover, PhaseRunner
from worker.identity import Identity
from worker.message_guard import MAX_MESSAGE_BYTES, WAIT_HEADER, refusal, shorten_countdown

#: Seconds one blocking read waits for a message; at rest a device costs the broker one command in this time.
READ_WAIT_SECONDS = 10
#: Seconds beyond that after which a silent connection counts as lost.
HEALTH_CHECK_SECONDS = 5
#: Seconds a connection attempt or a command may take.
SOCKET_TIMEOUT_SECONDS = READ_WAIT_SECONDS + HEALTH_CHECK_SECONDS
#: Seconds for a command that does not wait; after these a connection that went silent is made anew.
COMMAND_TIMEOUT_SECONDS = 5
#: For the system itself to notice a connection that is gone, where it knows how.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
_UNANSWERED_MILLISECONDS = SOCKET_TIMEOUT_SECONDS * 1000
#: A link that ended hands on however long the broker is away: to give up would be to lose the rest of the chain.
PUBLISH_RETRY_POLICY = {"max_retries": sys.maxsize, "interval_start": 0.2, "interval_step": 0.5, "interval_max": 5}
#: Messages that wait in memory for their time: one for each app that waits to be tried again, so far fewer in earnest.
#: Each takes some 20 KB.
MOST_WAITING = 1000
#: Seconds between two signs of life for the dashboard; the default of 2 is far too chatty for a fleet.
HEARTBEAT_SECONDS = 60
#: Seconds that events of quick phases wait for each other, to reach the dashboard in one message.
EVENTS_SECONDS = 1.0
#: Phases that may take long: what the dashboard has not heard yet, their own beginning included, it hears before them.
_LONG_PHASES = (Phase.DOWNLOAD, Phase.UNPACK, Phase.INSTALL)


class BatchingConsumer(Consumer):
    """Celery's consumer, but for sending the events of several phases together."""

    _sends_at = float("-inf")

    def on_send_event_buffered(self) -> None:
        """Some event waits; called for each, in the loop's own thread."""
        now = monotonic()
        # A lost connection takes its timers with it: what is overdue will not come.
        if self.hub is not None and now >= self._sends_at:
            self._sends_at = now + EVENTS_SECONDS
            self.hub.call_later(EVENTS_SECONDS, self.send_events)

    def send_events(self) -> None:
        """Send what waits."""
        self._flush_events()

    def stop(self) -> None:
        """Stop, nothing left unsaid."""
        self.send_events()
        super().stop()


def make_app(
    identity: Identity,
    runner: PhaseRunner,
    on_refused: Callable[[], None] | None = None,
    on_call: Callable[[], None] = lambda: None,
) -> Celery:
    """The Celery app of one device, with one task a phase; see `run_worker` for `on_refused` and `on_call`."""
    queue = device_queue(identity.device_id)
    app = Celery("outrider-device", broker=_broker_url(identity), set_as_current=False)
    app.conf.update(
        broker_transport=TRANSPORT_NAME,
        broker_use_ssl=broker_tls(identity.broker_url),
        broker_transport_options={
            "polling_interval": READ_WAIT_SECONDS,
            "health_check_interval": HEALTH_CHECK_SECONDS,
            "socket_timeout": SOCKET_TIMEOUT_SECONDS,
            "socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
            "command_timeout": COMMAND_TIMEOUT_SECONDS,
            "socket_keepalive": True,
            "socket_keepalive_options": _keepalive(),
            "refusal": refusal,
            "most_bytes": MAX_MESSAGE_BYTES,
            "amend": shorten_countdown,
            "on_refused": on_refused,
            "most_waiting": MOST_WAITING,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=1,
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_queues=[Queue(queue, exchange="", routing_key=queue)],
        task_default_queue=queue,
        task_default_exchange="",
        task_default_routing_key=queue,
        task_create_missing_queues=False,
        task_publish_retry_policy=PUBLISH_RETRY_POLICY,
        worker_consumer=BatchingConsumer,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_detect_quorum_queues=False,
    )
    # Messages, events and so the dashboard show no arguments.
    app.amqp.kwargsrepr_maxsize = 0
    for phase in PHASES:
        _register(app, runner, phase)
    _register_call(app, on_call)
    return app


def run_worker(
    identity: Identity,
    runner: PhaseRunner,
    *,
    on_stop: Callable[[], None],
    on_refused: Callable[[], None] | None = None,
    on_call: Callable[[], None] = lambda: None,
) -> bool:
    """Process the device's queue until SIGTERM, SIGINT or `leave_queue`; the phase in progress is finished first.

    Args:
        identity: The device, with its broker and queue.
        runner: Carries out phases.
        on_stop: Called at each of these signals, in the handler.
        on_refused: Called for each message that is not let in.
        on_call: Called when the device is to check in now.

    Returns:
        Whether a signal ended it.
    """
    prepare_celery_process()
    signals = 0

    def told(**_: object) -> None:
        nonlocal signals
        signals += 1
        on_stop()

    worker_shutting_down.connect(told, weak=False)
    worker = make_app(identity, runner, on_refused, on_call).Worker(
        hostname=f"{device_queue(identity.device_id)}@{identity.name}",
        pool="solo",
        concurrency=1,
        without_gossip=True,
        without_mingle=True,
        heartbeat_interval=HEARTBEAT_SECONDS,
        quiet=True,
    )
    tell_before_long_phases(worker)
    worker.start()
    if not signals:
        # The next worker of this process begins as the first one did.
        worker_shutting_down.disconnect(told)
        worker_state.should_stop = None
        set_event_loop(None)
    return bool(signals)


def leave_queue() -> None:
    """Have `run_worker` end when the phase in progress has ended; any thread may ask."""
    worker_state.should_stop = ExitStatus.OK


def reaches_broker(identity: Identity) -> bool:
    """Whether the device's broker lets it in, to its own queue."""
    queue = device_queue(identity.device_id)
    options = {
        "socket_timeout": COMMAND_TIMEOUT_SECONDS,
        "socket_connect_timeout": COMMAND_TIMEOUT_SECONDS,
        "max_retries": 1,
    }
    with Connection(
        _broker_url(identity),
        transport=TRANSPORT_NAME,
        ssl=broker_tls(identity.broker_url),
        transport_options=options,
    ) as connection:
        try:
            connection.default_channel.client.llen(queue)
        except (*connection.connection_errors, *connection.channel_errors, OperationalError):
            return False
    return True


def tell_before_long_phases(worker: Any) -> None:
    """Let the dashboard know of a phase that may take long before it begins: the loop stands still while it runs."""

    def tell(**_: object) -> None:
        worker.consumer.send_events()

    for phase in _LONG_PHASES:
        task_prerun.connect(tell, sender=worker.app.tasks[phase_task(phase)], weak=False)


def _keepalive() -> dict[int, int]:
    """Socket options of this system by number; one that it lacks is left out."""
    wanted = {**_KEEPALIVE, "TCP_USER_TIMEOUT": _UNANSWERED_MILLISECONDS}
    return {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}


def _broker_url(identity: Identity) -> str:
    parts = urlsplit(identity.broker_url)
    user = f"{quote(identity.broker_user, safe='')}:{quote(identity.broker_secret, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))


def _register(app: Celery, runner: PhaseRunner, phase: Phase) -> None:
    @app.task(bind=True, name=phase_task(phase), max_retries=None, shared=False)
    def run_phase(task: Task, **kwargs: Any) -> None:
        _carry_out(task, runner.run(phase, JobRef.model_validate(kwargs), turn=task.request.retries))


def _register_call(app: Celery, on_call: Callable[[], None]) -> None:
    @app.task(name=SYNC_TASK, shared=False)
    def sync() -> None:
        on_call()


def _carry_out(task: Task, handover: Handover) -> None:
    if handover.next_chain is not None:
        job_chain(task.app, handover.next_chain.ref).apply_async(**_after(handover.next_chain.countdown_seconds))
    if handover.retry_in_seconds is not None:
        raise task.retry(**_after(handover.retry_in_seconds))
    task.request.chain = _links_from(handover.go_on_at, task.request.chain or [])


def _after(seconds: float) -> dict[str, Any]:
    """Options of a message that waits, and says for how long."""
    return {"countdown": seconds, "headers": {WAIT_HEADER: seconds}}


def _links_from(phase: Phase | None, links: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rest of a chain from a phase on; Celery keeps the links in reverse."""
    names = [link["task"] for link in links]
    if phase is None or phase_task(phase) not in names:
        return []
    return links[: names.index(phase_task(phase)) + 1]
