"""What attackers have in their hands, and the table of what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
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
from tests.security.attack_table import REFUSED_BY, Row, attack_table, gaps, name_row, rows_of
from tests.support.trust import Roots
from tests.worker.conftest import content, rig  # noqa: F401  a device without network
from worker.identity import Identity

#: How many columns the table of attacks takes.
_WIDTH = 160
_ATTACKS = "--attacks"
_FUZZ = "--fuzz"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        _ATTACKS, action="store_true", help="Print attacker by attack in the end; fail where a guard was not removed."
    )
    parser.addoption(_FUZZ, type=float, default=1.0, help="How many times as long to fuzz.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name_row(item)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if session.config.getoption(_ATTACKS, default=False) and not exitstatus and gaps(_rows(session.config)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption(_ATTACKS, default=False):
        rows = _rows(config)
        Console(width=_WIDTH).print(attack_table(rows))
        for gap in gaps(rows):
            terminalreporter.write_line(f"MISSING {gap}", red=True)


def _rows(config: pytest.Config) -> dict[tuple[str, str], Row]:
    reporter: pytest.TerminalReporter = config.pluginmanager.getplugin("terminalreporter")
    kinds = ("passed", "failed", "skipped", "error")
    reports = (report for kind in kinds for report in reporter.getreports(kind))
    return rows_of(report for report in reports if isinstance(report, pytest.TestReport))


@dataclass(frozen=True)
class Fuzz:
    """How long to fuzz: `make security FUZZ=10` does it ten times as long."""

    factor: float

    def times(self, count: int) -> int:
        return max(1, int(count * self.factor))


@pytest.fixture(scope="session")
def fuzz(pytestconfig: pytest.Config) -> Fuzz:
    return Fuzz(pytestconfig.getoption(_FUZZ, default=1.0))


RefusedBy = Callable[[object], None]


@pytest.fixture
def refused_by(record_property: Callable[[str, object], None]) -> RefusedBy:
    """Note what refused the attack, as the test saw it."""
    return lambda what: record_property(REFUSED_BY, str(what))


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
        trusted_keys=Roots().signed(1, {}),
        check_in_interval_seconds=600,
    )
