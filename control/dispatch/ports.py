"""What the control plane needs of its broker."""

from typing import Protocol

from contract.jobs import JobRef
from contract.queues import ControlTask


class ControlQueue(Protocol):
    """Asks the control plane's own workers to do what is due."""

    def request(self, task: ControlTask) -> None:
        """Ask, as well as can be: where the broker does not answer, the scheduler asks later."""
        ...


class JobPublisher(Protocol):
    """Sends jobs to devices."""

    def publish(self, device_id: str, ref: JobRef) -> None:
        """Put the chain of a job into its device's queue.

        Raises:
            UnavailableError: The broker does not answer; nothing was sent.
        """
        ...
