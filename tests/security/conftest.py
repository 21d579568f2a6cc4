"""What attackers have in their hands."""

from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rich.console import Console

from tests.control.conftest import (  # noqa: F401  what attackers attack
    client,
    enrolled,
    make_client,
    make_plane,
    migrated_sqlite,
    operator,
    package,
    plane,
    settings,
    sqlite_url,
)
from tests.security.attack_table import attack_table
from worker.identity import Identity


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--attacks", action="store_true", help="Print attacker by attack in the end.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--attacks", default=False):
        kinds = ("passed", "failed", "skipped")
        reports = [report for kind in kinds for report in terminalreporter.getreports(kind)]
        Console(width=150).print(attack_table(reports))


@pytest.fixture
def identity() -> Identity:
    """A device that is enrolled nowhere."""
    device_id = str(uuid4())
    return Identity(
        device_id=device_id,
        name="desk-1",
        control_plane_url="https://api.example",
        signing_key=Ed25519PrivateKey.generate().private_bytes_raw(),
        sealing_key=X25519PrivateKey.generate().private_bytes_raw(),
        broker_url="rediss://broker.example/0",
        broker_user=f"device.{device_id}",
        broker_secret="secret",
        policy_keys={},
        check_in_interval_seconds=600,
    )
