"""What the control plane needs of its broker."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from contract.jobs import JobRef
from contract.queues import ControlTask


class ControlQueue(Protocol):
    """Asks the control plane's own workers to do what is due."""

    def request(self, task: ControlTask) -> None:
        """Ask, as well as can be: where the broker does not answer, the scheduler asks later."""
        ...


@dataclass(frozen=True)
class AddressedJob:
    """A job that is to be sent, and whom to."""

    device_id: str
    ref: JobRef


class JobPublisher(Protocol):
    """Sends jobs to devices."""

    def publish(self, jobs: Sequence[AddressedJob]) -> None:
        """Put the chain of each job into its device's queue.

        Raises:
            UnavailableError: The broker does not answer, and some of them may have been sent; sending those again
                changes nothing.
        """
        ...


class DeviceCaller(Protocol):
    """Has devices check in now."""

    def call(self, device_ids: Collection[str]) -> None:
        """Put a call into each device's queue; one that is called twice checks in once or twice.

        Raises:
            UnavailableError: The broker does not answer, and some of them may have been called.
        """
        ...


class QueueInspector(Protocol):
    """Sees whether the broker still has what was sent."""

    def without_messages(self, device_ids: Collection[str]) -> frozenset[str]:
        """Those of the devices for which the broker holds nothing at all, neither waiting nor taken.

        Raises:
            UnavailableError: The broker does not answer.
        """
        ...
