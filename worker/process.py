"""The agent's process, from its start until it is told to stop."""

import sys
from typing import TYPE_CHECKING

from worker.folders import Folders
from worker.identity import Identity, load_identity
from worker.lean import leave_out_unneeded_libraries
from worker.lock import only_agent
from worker.settings import AgentSettings

if TYPE_CHECKING:
    from worker.logs.known_secrets import KnownSecrets


def run_agent(settings: AgentSettings) -> None:
    """Process this device's jobs until SIGTERM or Ctrl-C.

    Raises:
        InputError: The device is not enrolled, or another agent is running in the folder.
    """
    folders = Folders(settings.state_dir)
    identity = load_identity(folders.identity)
    folders.create()
    with only_agent(folders):
        leave_out_unneeded_libraries()
        from worker.logs.configure import configure_logs  # noqa: PLC0415  other commands need not load all of it
        from worker.logs.known_secrets import KnownSecrets  # noqa: PLC0415
        from worker.logs.secrets import secrets_of  # noqa: PLC0415

        known = KnownSecrets(secrets_of(identity))
        configure_logs(folders.logs, level_file=folders.log_level, secrets=known)
        _heed_stops()
        while _work(settings, identity, known):
            identity = load_identity(folders.identity)


def _work(settings: AgentSettings, identity: Identity, known: "KnownSecrets") -> bool:
    """Listen at the device's broker until told to stop or to go to another one; whether it is the latter."""
    from worker.bootstrap import build_agent  # noqa: PLC0415
    from worker.celery_app import run_worker  # noqa: PLC0415
    from worker.narration.start import agent_starts  # noqa: PLC0415

    agent = build_agent(settings, identity, known)
    agent_starts(agent.device)
    agent.housekeeping.start()
    try:
        was_stopped = run_worker(
            identity,
            agent.engine,
            on_stop=agent.departure.ask,
            on_refused=agent.device.refused_messages.count,
            on_call=agent.check_in_now,
        )
    finally:
        agent.housekeeping.stop()
        agent.device.ledger.close()
    return agent.relocation.conclude() and not was_stopped


def _heed_stops() -> None:
    if sys.platform == "win32":
        from worker.platform.windows_stop import heed_stops  # noqa: PLC0415  it can be loaded on Windows only

        heed_stops()
