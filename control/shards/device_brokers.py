"""What the control plane deals with at each shard for the sake of devices."""

from collections.abc import Mapping
from dataclasses import dataclass

from control.fleet.broker_users import BrokerUsers
from control.shards.device_queues import DeviceQueues


@dataclass(frozen=True)
class DeviceBrokers:
    """The brokers that devices listen at, by the names of their shards.

    Attributes:
        users: Who may use each.
        queues: What waits there.
    """

    users: Mapping[str, BrokerUsers]
    queues: Mapping[str, DeviceQueues]
