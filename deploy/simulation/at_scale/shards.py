"""Further brokers of a local stack: each is a shard, and has a process that does nothing but send to its devices."""

from collections.abc import Iterable
from dataclasses import dataclass

from deploy.local.layout import StackLayout
from deploy.local.part import Part
from deploy.local.ports import HOST
from deploy.local.readiness import LogSays
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part

_SETTING = "OUTRIDER_BROKER_SHARDS"


@dataclass(frozen=True)
class Shard:
    """A broker besides the stack's own, with the same users and passwords.

    Attributes:
        name: The shard's, and the part's.
        port: Where it listens.
    """

    name: str
    port: int

    @property
    def address(self) -> str:
        """For the control plane and for devices."""
        return f"redis://{HOST}:{self.port}/0"

    def broker(self, layout: StackLayout) -> Part:
        """Write its configuration and say how to run it."""
        return broker_part(layout.part(self.name), self.port, StackSecrets.load_or_make(layout.secrets), name=self.name)


def shard_settings(shards: Iterable[Shard]) -> dict[str, str]:
    """What names them for every part of the control plane."""
    return {_SETTING: " ".join(f"{shard.name}={shard.address}" for shard in shards)}


def dispatcher(worker: Part, shard: str) -> Part:
    """A worker that does nothing but send to the devices of a shard.

    Args:
        worker: The stack's, with the settings that name the shards.
        shard: The shard's name.
    """
    command = (*worker.command, "--shard", shard)
    ready = LogSays(words="messages are sent from now on")
    return worker.model_copy(update={"name": f"dispatcher-{shard}", "command": command, "ready": ready})
