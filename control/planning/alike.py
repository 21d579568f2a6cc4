"""Devices that planning cannot tell apart: what is decided for one of them holds for all.

A fleet is large because many devices are the same: in the same groups, with the same apps in the same state.
"""

from collections.abc import Hashable
from operator import attrgetter
from typing import Final

from control.planning.models import DeviceSituation

#: All that planning looks at in a job, but for its id and its end.
_FACTS: Final = attrgetter(
    "app_id",
    "revision",
    "intent",
    "state",
    "cancel_reason",
    "seen_since",
    "was_sent",
    "outcome",
    "evaluates_only",
    "settings_digest",
    "enforcement_state",
    "wait_reason",
    "waits_for_app_id",
)


def likeness(device: DeviceSituation) -> Hashable:
    """Equal for devices for which the same is decided, but for the ids of devices and jobs; None for one by itself.

    When a job ended matters to devices that have looked for an app, and to look again.
    """
    if any(job.evaluates_only for job in device.jobs.values()):
        return None
    return (
        device.is_enrolled,
        device.group_ids,
        device.time_zone,
        device.matching_filters,
        tuple(map(_FACTS, device.jobs.values())),
        tuple(device.holds.items()),
        tuple(device.requests.items()),
    )
