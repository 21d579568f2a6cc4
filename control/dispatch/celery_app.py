"""The control plane's end of the queue: the only file here that knows Celery.

Its own tasks carry nothing: each says "look into the database and do what is due". Losing one costs the time until the
scheduler says it again, running one twice changes nothing.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from socket import gethostname
from typing import Any

from celery import Celery
from celery.beat import Scheduler
from kombu import Queue
from kombu.exceptions import OperationalError
from structlog import get_logger

from contract.celery_process import prepare_celery_process
from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.job_chain import job_chain
from contract.jobs import JobRef
from contract.queues import CONTROL_QUEUE, SYNC_TASK, ControlTask, device_queue
from contract.secure_addresses import broker_tls
from control.dispatch.chain_template import SAMPLE_DEVICE_ID, SAMPLE_REF, ChainTemplate
from control.dispatch.guarded_transport import TRANSPORT_NAME
from control.dispatch.message_guard import MAX_MESSAGE_BYTES, refusal

_log = get_logger(__name__)

#: kombu's broker inside the process.
_NOWHERE = "memory://"
#: A publish is tried this often before it counts as failed; what is not sent stays in the outbox.
_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0.1, "interval_max": 0.5}
#: Seconds a connection attempt or a command may take.
_SOCKET_TIMEOUT_SECONDS = 5
#: Tasks that one worker runs side by side: planning a large fleet must not keep jobs from being sent.
_WORKER_THREADS = 2
#: Seconds between two signs of life for the dashboard.
_HEARTBEAT_SECONDS = 30


def make_app(broker_url: str) -> Celery:
    """The Celery app that sends jobs to devices and requests to the control plane's own workers."""
    app = Celery("outrider-control", broker=broker_url, set_as_current=False)
    app.conf.update(
        broker_use_ssl=broker_tls(broker_url),
        accept_content=["json"],
        task_ignore_result=True,
        task_default_queue=CONTROL_QUEUE,
        task_default_exchange="",
        task_default_routing_key=CONTROL_QUEUE,
        task_queues=[Queue(CONTROL_QUEUE, exchange="", routing_key=CONTROL_QUEUE)],
        task_create_missing_queues=False,
        task_publish_retry_policy=_PUBLISH_RETRY_POLICY,
        broker_transport_options={
            "socket_timeout": _SOCKET_TIMEOUT_SECONDS,
            "socket_connect_timeout": _SOCKET_TIMEOUT_SECONDS,
            "socket_keepalive": True,
            "priority_steps": [0],
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_enable_remote_control=False,
        worker_send_task_events=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_detect_quorum_queues=False,
    )
    # Messages, events and so the dashboard show no arguments.
    app.amqp.kwargsrepr_maxsize = 0
    return app


def chain_message(device_id: str, ref: JobRef) -> dict[str, Any]:
    """The message that starts a job's chain on a device, as Celery and kombu make it for the queue."""
    app = make_app(_NOWHERE)
    name = device_queue(device_id)
    with app.connection_for_write() as connection:
        job_chain(app, ref).apply_async(connection=connection, queue=Queue(name, exchange="", routing_key=name))
        message: dict[str, Any] = connection.default_channel._get(name)  # noqa: SLF001  # before it is made a message
    return message


def chain_template() -> ChainTemplate:
    """A template of the messages of this version of Celery."""
    return ChainTemplate(chain_message(SAMPLE_DEVICE_ID, SAMPLE_REF))


class CeleryControlQueue:
    """Asks the control plane's workers to do what is due, now rather than at the scheduler's next beat."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def request(self, task: ControlTask) -> None:
        """Ask; where the broker does not answer, the scheduler asks later."""
        try:
            self._app.send_task(task.value)
        except OperationalError as error:
            _log.warning("the broker does not answer; the scheduler will ask later", task=task.value, error=str(error))


class CeleryDeviceCaller:
    """Has devices check in now."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def call(self, device_ids: Collection[str]) -> None:
        """See `DeviceCaller.call`."""
        try:
            with self._app.connection_for_write() as connection:
                for name in map(device_queue, device_ids):
                    queue = Queue(name, exchange="", routing_key=name)
                    self._app.send_task(SYNC_TASK, connection=connection, queue=queue)
        except OperationalError as error:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=str(error)) from error


def run_worker(
    broker_url: str,
    handlers: Mapping[ControlTask, Callable[[], object]],
    on_refused: Callable[[], None] | None = None,
) -> None:
    """Serve the control plane's own queue until SIGTERM or SIGINT; tasks in progress are finished first.

    Args:
        broker_url: The broker, as the workers' user.
        handlers: What each task does.
        on_refused: Called for each message in the queue that is no request for a task; it is dropped.
    """
    app = make_app(broker_url)
    guard = {"refusal": refusal, "most_bytes": MAX_MESSAGE_BYTES, "on_refused": on_refused}
    app.conf.update(
        broker_transport=TRANSPORT_NAME, broker_transport_options={**app.conf.broker_transport_options, **guard}
    )
    for task, handler in handlers.items():
        _register(app, task, handler)
    prepare_celery_process()
    worker = app.Worker(
        hostname=f"control@{gethostname()}",
        pool="threads",
        concurrency=_WORKER_THREADS,
        without_gossip=True,
        without_mingle=True,
        heartbeat_interval=_HEARTBEAT_SECONDS,
        quiet=True,
    )
    worker.start()


def run_scheduler(broker_url: str, intervals: Mapping[ControlTask, timedelta]) -> None:
    """Ask for each task once per interval until SIGTERM or SIGINT.

    A request that no worker took within its interval expires: the next one stands for it.
    """
    prepare_celery_process()
    app = make_app(broker_url)
    app.conf.beat_schedule = {
        task.value: {
            "task": task.value,
            "schedule": interval,
            "options": {"expires": interval.total_seconds()},
        }
        for task, interval in intervals.items()
    }
    app.Beat(scheduler_cls=Scheduler, quiet=True).run()


def _register(app: Celery, task: ControlTask, handler: Callable[[], object]) -> None:
    @app.task(name=task.value, shared=False)
    def run_task() -> None:
        try:
            handler()
        except UnavailableError as error:
            _log.warning("put off until the scheduler asks again", task=task.value, error=str(error))
