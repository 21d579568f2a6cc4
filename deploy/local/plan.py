"""Which parts a stack has, in the order they are started, and how each is built."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from deploy.local.addresses import StackAddresses, resolve
from deploy.local.control_parts import api_part, flower_part, scheduler_part, worker_part
from deploy.local.layout import StackLayout
from deploy.local.outside import OutsideParts
from deploy.local.part import Part
from deploy.local.ports import find_free_port, is_free
from deploy.local.secret_values import StackSecrets
from deploy.local.swift.part import store_part
from deploy.local.valkey import broker_part


class StandardPart(StrEnum):
    """The parts of every stack, in the order they are started; each rests on those before it."""

    BROKER = "broker"
    STORE = "store"
    API = "api"
    WORKER = "worker"
    SCHEDULER = "scheduler"
    FLOWER = "flower"

    @property
    def listens(self) -> bool:
        """Whether it has a port."""
        return self in {StandardPart.BROKER, StandardPart.STORE, StandardPart.API, StandardPart.FLOWER}

    @property
    def is_control(self) -> bool:
        """Whether it is one of the control plane's own processes, which need an initialized control plane."""
        return self in {StandardPart.API, StandardPart.WORKER, StandardPart.SCHEDULER}


#: What the others rest on: ended last, so that they can finish what they are at.
FOUNDATIONS = frozenset({StandardPart.BROKER, StandardPart.STORE})


@dataclass(frozen=True)
class StackPlan:
    """Everything needed to build the parts of one stack.

    Attributes:
        layout: Where its files lie.
        outside: What the caller already has.
        secrets: What the parts prove themselves with.
        ports: The port of each part that listens.
    """

    layout: StackLayout
    outside: OutsideParts
    secrets: StackSecrets
    ports: Mapping[str, int]

    @property
    def addresses(self) -> StackAddresses:
        """Where everything answers under this plan."""
        return resolve(self.layout, self.outside, self.secrets, self.ports)

    def with_new_port(self, name: StandardPart) -> Self:
        """The same plan with another free port for one part."""
        port = find_free_port(avoid=set(self.ports.values()))
        return replace(self, ports={**self.ports, name: port})

    def embedded(self, wanted: StandardPart) -> bool:
        """Whether the stack runs this part itself."""
        match wanted:
            case StandardPart.BROKER:
                return self.outside.broker_url is None
            case StandardPart.STORE:
                return self.outside.store is None
            case _:
                return True

    def part(self, name: StandardPart) -> Part:
        """Write the part's configuration and say how to run it.

        Raises:
            InputError: The stack's folder cannot hold the content store.
        """
        folder = self.layout.part(name)
        match name:
            case StandardPart.BROKER:
                return broker_part(folder, self.ports[name], self.secrets)
            case StandardPart.STORE:
                return store_part(folder, self.ports[name], self.secrets, self.addresses.s3_region)
            case StandardPart.API:
                return api_part(self.layout, self.addresses)
            case StandardPart.WORKER:
                return worker_part(self.layout, self.addresses)
            case StandardPart.SCHEDULER:
                return scheduler_part(self.layout, self.addresses)
            case StandardPart.FLOWER:
                return flower_part(self.addresses)


def choose_ports(earlier: Mapping[str, int], *, keep: bool) -> dict[str, int]:
    """A port for each part that listens: the earlier one where it can still be had, else a free one.

    Args:
        earlier: The ports of the stack's last life; devices enrolled then still look for it there.
        keep: Whether the stack still runs, so that its ports are taken because they are its own.
    """
    ports: dict[str, int] = {}
    for name in StandardPart:
        if name.listens:
            before = earlier.get(name)
            usable = before is not None and (keep or is_free(before))
            ports[name] = before if usable and before else find_free_port(avoid={*earlier.values(), *ports.values()})
    return ports
