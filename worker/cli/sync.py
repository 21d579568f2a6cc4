"""`outrider-agent sync`."""

from contract.clock import SystemClock
from contract.uplink import CheckIn, CheckInReason
from worker.cli.options import AsJson, StateDir, load_settings
from worker.cli.output import show
from worker.folders import Folders
from worker.identity import load_identity
from worker.platform.select import this_platform


def sync(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Check in now: what is due for this device is sent at once to the agent that runs.

    \b
    Example:
      outrider-agent sync

    \b
    Exit status: 0 checked in; 2 not enrolled; 3 the control plane does not answer; 4 it refuses this device.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    from worker.bootstrap import build_uplink  # noqa: PLC0415  other commands need not load all of it

    settings = load_settings(state_dir)
    identity = load_identity(Folders(settings.state_dir).identity)
    facts = this_platform(settings.state_dir).facts()
    reply = build_uplink(settings, identity, SystemClock()).check_in(
        CheckIn(reason=CheckInReason.USER_REQUEST, facts=facts)
    )
    text = f"Checked in; {reply.jobs_sent} jobs are on their way to this device."
    show({"jobs_sent": reply.jobs_sent}, text, as_json=as_json)
