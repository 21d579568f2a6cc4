"""`outrider-agent rotate-keys` against a real control plane: what was copied from a device before is worth nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract.clock import SystemClock
from contract.errors import TrustError
from contract.uplink import CheckIn, CheckInReason
from control.api.app import create_app
from control.settings import ControlSettings
from tests.control.plane import FACTS, Plane
from tests.support.served import served
from worker.bootstrap import build_uplink
from worker.cli.commands import app
from worker.folders import Folders
from worker.identity import Identity, load_identity, save_identity
from worker.settings import AgentSettings
from worker.uplink.rotation import with_new_keys

pytestmark = pytest.mark.integration

CHECK_IN = CheckIn(reason=CheckInReason.USER_REQUEST, facts=FACTS)


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    """Devices refuse a broker on another machine without TLS."""
    return settings.model_copy(update={"device_broker_url": "rediss://broker.example:6379/0"})


@pytest.fixture
def server(plane: Plane) -> Iterator[str]:
    with served(create_app(plane.services)) as address:
        yield address


@pytest.fixture
def settings_of_agent(tmp_path: Path) -> AgentSettings:
    return AgentSettings(state_dir=tmp_path / "agent")


@pytest.fixture
def enrolled_agent(plane: Plane, server: str, settings_of_agent: AgentSettings) -> Folders:
    folders = Folders(settings_of_agent.state_dir)
    run("enroll", server, plane.token(), "--name", "desk-1", "--state-dir", str(folders.state))
    return folders


def run(*arguments: str) -> None:
    done = CliRunner().invoke(app, [*arguments])
    assert done.exit_code == 0, done.output


def check_in(settings: AgentSettings, identity: Identity) -> None:
    uplink = build_uplink(settings, identity, SystemClock())
    with uplink.client:
        uplink.check_in(CHECK_IN)


def test_a_copied_identity_is_worth_nothing_after_the_exchange(
    plane: Plane, enrolled_agent: Folders, settings_of_agent: AgentSettings
) -> None:
    copied = load_identity(enrolled_agent.identity)
    check_in(settings_of_agent, copied)
    run("rotate-keys", "--state-dir", str(enrolled_agent.state))
    renewed = load_identity(enrolled_agent.identity)
    assert plane.broker_users.secrets == {copied.device_id: renewed.broker_secret}
    assert renewed.broker_secret != copied.broker_secret
    check_in(settings_of_agent, renewed)
    with pytest.raises(TrustError):
        check_in(settings_of_agent, copied)
    assert not enrolled_agent.next_identity.exists()


def test_an_exchange_that_was_cut_off_is_finished_by_the_next(
    enrolled_agent: Folders, settings_of_agent: AgentSettings
) -> None:
    """Killed between the control plane's commit and writing the answer down."""
    before = load_identity(enrolled_agent.identity)
    prepared = with_new_keys(before)
    save_identity(prepared, enrolled_agent.next_identity)
    run("rotate-keys", "--state-dir", str(enrolled_agent.state))
    # As if nothing had been written: the old identity, and the prepared one beside it.
    enrolled_agent.identity.unlink()
    save_identity(before, enrolled_agent.identity)
    save_identity(prepared, enrolled_agent.next_identity)
    run("rotate-keys", "--state-dir", str(enrolled_agent.state))
    check_in(settings_of_agent, load_identity(enrolled_agent.identity))
