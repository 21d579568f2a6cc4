"""`outrider-agent sync`."""

from contract.clock import SystemClock
from contract.uplink import CheckIn, CheckInReason
from worker.cli.options import AsJson, StateDir
from worker.cli.output import handled, show
from worker.folders import Folders
from worker.identity import load_identity
from worker.platform.select import this_platform
from worker.settings import AgentSettings, load_settings


def sync(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Check in now: what is due for this device is sent at once to the agent that runs.

    \b
    Example:
      outrider-agent sync

    \b
    Exit status: 0 checked in; 2 not enrolled; 3 the control plane does not answer; 4 it refuses this device.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        sent = _check_in(load_settings(state_dir))
        text = f"Checked in; {sent} jobs are on their way to this device."
        show({"jobs_sent": sent}, text, as_json=as_json)


def _check_in(settings: AgentSettings) -> int:
    from worker.bootstrap import build_uplink  # noqa: PLC0415  other commands need not load all of it

    identity = load_identity(Folders(settings.state_dir).identity)
    uplink = build_uplink(settings, identity, SystemClock())
    facts = this_platform(settings.state_dir).facts()
    return uplink.check_in(CheckIn(reason=CheckInReason.USER_REQUEST, facts=facts)).jobs_sent
