"""Assignments of packagefactory's App.json in Graph's words (package 4.7)."""

from typing import Any

from control.catalog.definitions.bundle import Json
from control.catalog.definitions.failures import invalid

_GRAPH = "#microsoft.graph."
_TARGETS = {
    "alldevices": "allDevicesAssignmentTarget",
    "allusers": "allLicensedUsersAssignmentTarget",
    "group": "groupAssignmentTarget",
}


def assignment(item: Json) -> Json:
    """One assignment.

    Raises:
        DocumentError: DEFINITION_INVALID where it targets no one that is known.
    """
    return {
        "@odata.type": f"{_GRAPH}mobileAppAssignment",
        "intent": item.get("Intent"),
        "target": _target(item),
        "settings": {
            "@odata.type": f"{_GRAPH}win32LobAppAssignmentSettings",
            "notifications": item.get("Notification"),
            "deliveryOptimizationPriority": item.get("DeliveryOptimizationPriority"),
            "restartSettings": _restart(item),
            "installTimeSettings": _times(item),
        },
    }


def _target(item: Json) -> Json:
    kind = _TARGETS.get(str(item.get("Type")).lower())
    if kind is None:
        raise invalid(f"found type {item.get('Type')!r}, expected AllDevices, AllUsers or Group", "Assignments")
    if kind == "groupAssignmentTarget" and str(item.get("GroupMode")).lower() == "exclude":
        kind = "exclusionGroupAssignmentTarget"
    return {
        "@odata.type": f"{_GRAPH}{kind}",
        "groupId": item.get("GroupID"),
        "deviceAndAppManagementAssignmentFilterId": item.get("FilterID"),
        "deviceAndAppManagementAssignmentFilterType": item.get("FilterIntent") or item.get("FilterMode"),
    }


def _restart(item: Json) -> Json | None:
    if str(item.get("EnableRestartGracePeriod")).lower() != "true":
        return None
    return {
        "gracePeriodInMinutes": item.get("RestartGracePeriod"),
        "countdownDisplayBeforeRestartInMinutes": item.get("RestartCountDownDisplay"),
        "restartNotificationSnoozeDurationInMinutes": item.get("RestartNotificationSnooze"),
    }


def _times(item: Json) -> Json | None:
    start, deadline = _moment(item.get("AvailableTime")), _moment(item.get("DeadlineTime"))
    if start is None and deadline is None:
        return None
    return {"startDateTime": start, "deadlineDateTime": deadline, "useLocalTime": item.get("UseLocalTime", False)}


def _moment(value: Any) -> Any:
    return value or None
