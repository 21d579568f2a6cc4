"""Devices that are to check in now."""

from control.views.base import Request, View


class DeviceSelection(Request):
    """Devices: by name or id, of a group, with jobs of an app or a rollout; of all that are named.

    Attributes:
        everything: The whole fleet is meant; it never is by leaving all else out.
    """

    device: str | None = None
    group: str | None = None
    app: str | None = None
    rollout: str | None = None
    everything: bool = False


class SyncRequest(Request):
    """Have devices check in now.

    Attributes:
        dry_run: Only say whom it would concern.
    """

    selection: DeviceSelection
    dry_run: bool = False


class SyncReply(View):
    """What came of it.

    Attributes:
        matched: How many devices are meant.
        called: Those that are online: they are called at once.
        offline: The others: they check in when they are back.
        devices: The first of the devices that are called.
    """

    dry_run: bool
    matched: int
    called: int
    offline: int
    devices: tuple[str, ...]
