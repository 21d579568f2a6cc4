"""`outrider-agent apps`."""

from collections.abc import Iterator

from contract.available_apps import AvailableApp
from contract.clock import SystemClock
from worker.cli.available import app_facts, app_text
from worker.cli.options import AsJson, StateDir
from worker.cli.output import handled, show
from worker.folders import Folders
from worker.identity import load_identity
from worker.settings import AgentSettings, load_settings
from worker.uplink.port import Uplink


def apps(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """List the apps that this device is offered, and how they stand here.

    \b
    Examples:
      outrider-agent apps
      outrider-agent apps --json

    \b
    Exit status: 0 listed; 2 not enrolled; 3 the control plane does not answer; 4 it refuses this device.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        offered = list(_all(uplink_of(load_settings(state_dir))))
        text = "\n\n".join(app_text(app) for app in offered) or "This device is offered no apps."
        show({"apps": [app_facts(app) for app in offered]}, text, as_json=as_json)


def uplink_of(settings: AgentSettings) -> Uplink:
    """The way to the control plane as this device.

    Raises:
        InputError: The device is not enrolled, or the control plane is on another machine and has no TLS.
    """
    from worker.bootstrap import build_uplink  # noqa: PLC0415  other commands need not load all of it

    return build_uplink(settings, load_identity(Folders(settings.state_dir).identity), SystemClock())


def _all(uplink: Uplink) -> Iterator[AvailableApp]:
    after: str | None = ""
    while after is not None:
        reply = uplink.available_apps(after=after)
        yield from reply.apps
        # An answer that leads back would never end.
        after = reply.next_after if reply.next_after is None or reply.next_after > after else None
