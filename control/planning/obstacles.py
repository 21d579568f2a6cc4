"""What keeps an app from being executed because of other apps, with the original's numbers (behaviour 2.5, 2.9).

| the other app | the app is not there | the app is there |
|---|---|---|
| a dependency, on its way | 2007 | 2007 |
| a dependency that failed | 6001 | 1004 |
| a dependency whose requirements are not met | 6003 | 1005 |
| a dependency that waits for a restart | 6002 | 1006 |
| a dependency that is not there and is not to be installed | 6005 | 1007 |
| a dependency that the device is excluded from | 6005 | 1007 |
| a dependency that a rollout holds back | 6000 | 1000 |
| a dependency whose place another app takes, or that depends on this one | 5006 | 5006 |
| superseded, being removed | 2010 | 1018 |
| superseded, cannot be removed | 6009 | 1012 |
| superseded, removed after a restart | 6010 | 1013 |
| superseded, not to be touched on this device | 6013 | 6013 |
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contract.states import EnforcementState as State


class Obstacle(StrEnum):
    """Why an app has to wait for another one."""

    CONFLICT = "conflict"
    EXCLUDED = "excluded"
    ABSENT = "absent"
    REQUIREMENTS = "requirements"
    FAILED = "failed"
    HELD_BACK = "held-back"
    RESTART = "restart"
    INSTALLING = "installing"
    REMOVAL_IMPOSSIBLE = "removal-impossible"
    REMOVAL_FAILED = "removal-failed"
    REMOVAL_RESTART = "removal-restart"
    REMOVING = "removing"

    @property
    def not_attempted(self) -> State:
        """The state of an app that is not there and waits."""
        return _ROWS[self][0]

    @property
    def succeeded(self) -> State:
        """The state of an app that is there although the other one is not as it should be."""
        return _ROWS[self][1]

    def sentence(self, other: str) -> str:
        """The obstacle in words; `other` is the other app's name."""
        return _ROWS[self][2].format(other=other)


_ROWS: Final[dict[Obstacle, tuple[State, State, str]]] = {
    Obstacle.INSTALLING: (
        State.IN_PROGRESS_DEPENDENCY_INSTALLING,
        State.IN_PROGRESS_DEPENDENCY_INSTALLING,
        "{other}, which it depends on, is installed first",
    ),
    Obstacle.FAILED: (
        State.NOT_ATTEMPTED_DEPENDENCY_WITH_FAILURE,
        State.SUCCESS_BUT_DEPENDENCY_FAILED_TO_INSTALL,
        "{other}, which it depends on, could not be installed",
    ),
    Obstacle.REQUIREMENTS: (
        State.NOT_ATTEMPTED_DEPENDENCY_WITH_REQUIREMENTS_NOT_MET,
        State.SUCCESS_BUT_DEPENDENCY_WITH_REQUIREMENTS_NOT_MET,
        "{other}, which it depends on, is not for this device: its requirements are not met",
    ),
    Obstacle.RESTART: (
        State.NOT_ATTEMPTED_PENDING_REBOOT,
        State.SUCCESS_BUT_DEPENDENCY_PENDING_REBOOT,
        "{other}, which it depends on, waits until the device has restarted",
    ),
    Obstacle.ABSENT: (
        State.NOT_ATTEMPTED_DEPENDENCY_WITH_AUTO_INSTALL_OFF,
        State.SUCCESS_BUT_DEPENDENCY_WITH_AUTO_INSTALL_OFF,
        "{other}, which it depends on, is not there, and is not installed automatically",
    ),
    Obstacle.EXCLUDED: (
        State.NOT_ATTEMPTED_DEPENDENCY_WITH_AUTO_INSTALL_OFF,
        State.SUCCESS_BUT_DEPENDENCY_WITH_AUTO_INSTALL_OFF,
        "the device is excluded from {other}, which it depends on",
    ),
    Obstacle.HELD_BACK: (State.NOT_ATTEMPTED, State.SUCCESS, "a rollout holds back {other}, which it depends on"),
    Obstacle.CONFLICT: (
        State.ERROR_CONFLICTS_PREVENT_INSTALLATION,
        State.ERROR_CONFLICTS_PREVENT_INSTALLATION,
        "it depends on {other}, whose place another app takes here, or which depends on it in turn",
    ),
    Obstacle.REMOVING: (
        State.IN_PROGRESS_PENDING_UNINSTALL_OF_SUPERSEDED_APPS,
        State.SUCCESS_UNINSTALLING_SUPERSEDED_APPS,
        "{other}, which it replaces, is uninstalled first",
    ),
    Obstacle.REMOVAL_FAILED: (
        State.NOT_ATTEMPTED_SUPERSEDED_APP_UNINSTALL_FAILED,
        State.SUCCESS_SUPERSEDED_APP_UNINSTALL_FAILED,
        "{other}, which it replaces, could not be uninstalled",
    ),
    Obstacle.REMOVAL_RESTART: (
        State.NOT_ATTEMPTED_SUPERSEDED_APP_UNINSTALL_PENDING_REBOOT,
        State.SUCCESS_SUPERSEDED_APP_UNINSTALL_PENDING_REBOOT,
        "{other}, which it replaces, is gone when the device has restarted",
    ),
    Obstacle.REMOVAL_IMPOSSIBLE: (
        State.NOT_ATTEMPTED_UNSUPPORTED_OR_INDETERMINATE_SUPERSEDED_APP,
        State.NOT_ATTEMPTED_UNSUPPORTED_OR_INDETERMINATE_SUPERSEDED_APP,
        "{other}, which it replaces, may not be touched on this device",
    ),
}

#: What an app's removal comes to, by what its job has come to.
REMOVAL: Final = {
    Obstacle.FAILED: Obstacle.REMOVAL_FAILED,
    Obstacle.RESTART: Obstacle.REMOVAL_RESTART,
    Obstacle.INSTALLING: Obstacle.REMOVING,
}


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why an app waits, and for which one."""

    obstacle: Obstacle
    app_id: str
