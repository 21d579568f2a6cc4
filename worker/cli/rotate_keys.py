"""`outrider-agent rotate-keys`."""

from contextlib import ExitStack

from contract.clock import SystemClock
from worker.cli.options import AsJson, StateDir
from worker.cli.output import handled, show
from worker.folders import Folders
from worker.identity import Identity, load_identity, replace_identity, save_identity
from worker.lock import only_agent
from worker.settings import AgentSettings, load_settings
from worker.uplink.port import Uplink


def rotate_keys(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Give this device new keys and a new broker secret; the old ones are void at once. Stop its agent first.

    Interrupted at any moment, it can be run again.

    \b
    Example:
      outrider-agent rotate-keys

    \b
    Exit status: 0 rotated; 2 not enrolled, or the agent is running; 3 the control plane does not answer;
    4 it refuses this device.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        identity = _rotate(load_settings(state_dir))
        text = f"{identity.name} ({identity.device_id}) has new keys. Start the agent with `outrider-agent run`."
        show({"device_id": identity.device_id, "name": identity.name}, text, as_json=as_json)


def _rotate(settings: AgentSettings) -> Identity:
    from worker.bootstrap import build_uplink  # noqa: PLC0415  other commands need not load all of it
    from worker.uplink.rotation import rotate, with_new_keys  # noqa: PLC0415

    folders = Folders(settings.state_dir)
    current = load_identity(folders.identity)
    folders.create()
    with only_agent(folders), ExitStack() as open_uplinks:

        def uplink_of(identity: Identity) -> Uplink:
            uplink = build_uplink(settings, identity, SystemClock())
            open_uplinks.callback(uplink.client.close)
            return uplink

        if not folders.next_identity.exists():
            save_identity(with_new_keys(current), folders.next_identity)
        renewed = rotate(current, load_identity(folders.next_identity), uplink_of)
        replace_identity(renewed, folders.identity)
        folders.next_identity.unlink()
    return renewed
