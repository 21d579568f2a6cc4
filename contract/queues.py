"""Names of queues, keys and tasks: the whole of what both ends of the broker must agree on."""

from enum import StrEnum

from contract.phases import Phase

#: The control plane's own queue; no device can reach it.
CONTROL_QUEUE = "control"

_TASK_PREFIX = "outrider."
#: The task that has a device check in now; its message carries nothing.
SYNC_TASK = "outrider.sync"
_DEVICE_QUEUE_PREFIX = "device."
_PROCESSING_PREFIX = "processing."
_NONCE_PREFIX = "nonce."


class ControlTask(StrEnum):
    """The tasks of the control plane's own workers."""

    PLAN = "control.plan"
    CATCH_UP = "control.catch-up"
    DISPATCH = "control.dispatch"
    RECONCILE = "control.reconcile"
    CALL = "control.call"
    ROLLOUT = "control.rollout"
    TALLY = "control.tally"
    ARCHIVE = "control.archive"


def phase_task(phase: Phase) -> str:
    """The task that runs a phase on a device: `outrider.poll`."""
    return f"{_TASK_PREFIX}{phase.value}"


def phase_of_task(task: str) -> Phase:
    """The phase a task runs.

    Raises:
        ValueError: It is not a phase's task.
    """
    return Phase(task.removeprefix(_TASK_PREFIX))


def device_queue(device_id: str) -> str:
    """The one queue a device reads: `device.<id>`."""
    return f"{_DEVICE_QUEUE_PREFIX}{device_id}"


def processing_list(queue: str) -> str:
    """Where a message stands from being taken to being acknowledged: `processing.device.<id>`."""
    return f"{_PROCESSING_PREFIX}{queue}"


def nonce_key(digest: str) -> str:
    """Where the control plane remembers that a device's request was here: `nonce.<digest>`."""
    return f"{_NONCE_PREFIX}{digest}"


def device_broker_user(device_id: str) -> str:
    """The broker user of a device."""
    return device_queue(device_id)
