"""How the agent is put together."""

import ssl
from unittest.mock import patch

from contract.clock import SystemClock
from tests.worker.rig import Rig
from worker.bootstrap import build_device
from worker.settings import AgentSettings


def test_the_certificate_authorities_are_kept_once_for_both_clients(rig: Rig) -> None:
    with patch("ssl.create_default_context", wraps=ssl.create_default_context) as made:
        device = build_device(AgentSettings(state_dir=rig.folder / "other"), rig.identity, SystemClock())
    device.ledger.close()
    assert made.call_count == 1
