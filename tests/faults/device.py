"""A real agent on a device of its own, kept running and killed at will."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from contract.phases import Phase
from control.views.access import EnrollmentTokenRequest
from deploy.local.control_parts import agent_part, program
from tests.faults.apps import RECORD
from tests.faults.kept import Kept, inherited
from tests.faults.records import Run, read_runs
from tests.faults.site import Site

_PROJECT = Path(__file__).parents[2]
_ENROL_SECONDS = 60
_MARK = "OUTRIDER_INSTALLER"


@dataclass(frozen=True)
class FaultDevice:
    """One device.

    Attributes:
        name: As the operator knows it.
        folder: Its home and its state lie in here.
        agent: Its agent.
    """

    name: str
    folder: Path
    agent: Kept

    @property
    def home(self) -> Path:
        """What installers know as HOME: outside the agent's state."""
        return self.folder / "home"

    @property
    def state(self) -> Path:
        """The agent's state folder."""
        return self.folder / "state"

    def runs(self) -> list[Run]:
        """What its installers wrote down."""
        return read_runs(self.home / RECORD)

    def phases_ended(self) -> int:
        """How many phases its ledger has seen to their end; installers' lines where it keeps no ledger."""
        ledger = self.state / "ledger.sqlite3"
        if not ledger.exists():
            return len(self.runs())
        with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
            try:
                row = connection.execute("SELECT count(*) FROM phases WHERE record IS NOT NULL").fetchone()
            except sqlite3.OperationalError:
                # Just made, its tables not yet.
                return 0
        return int(row[0])

    def has_begun(self, phase: Phase) -> bool:
        """Whether this phase of any attempt has begun and not ended."""
        with closing(sqlite3.connect(f"file:{self.state / 'ledger.sqlite3'}?mode=ro", uri=True)) as connection:
            sql = "SELECT count(*) FROM phases WHERE phase = ? AND record IS NULL"
            return bool(connection.execute(sql, (phase.value,)).fetchone()[0])

    def cut_power(self) -> None:
        """Kill the agent and every installer it started, as a power cut does."""
        self.agent.kill()
        for process in psutil.process_iter():
            if self._is_own_installer(process):
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def _is_own_installer(self, process: psutil.Process) -> bool:
        try:
            environment = process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            # It has ended, or belongs to somebody else: this device's installers can be looked into.
            return False
        return _MARK in environment and environment.get("HOME") == str(self.home)


@contextmanager
def device(site: Site, name: str, *, module: str | None = None, **environment: str) -> Iterator[FaultDevice]:
    """An enrolled device; its agent runs until the end.

    Args:
        site: Where it enrols.
        name: Its name.
        module: A Python module of the tests that runs in place of `outrider-agent run`.
        environment: Variables of its agent.
    """
    folder = site.folder / "devices" / name
    (folder / "home").mkdir(parents=True)
    own = {"HOME": str(folder / "home"), "OUTRIDER_AGENT_STATE_DIR": str(folder / "state"), **environment}
    enrol(site, name, own)
    part = agent_part(name, own)
    if module is not None:
        variables = {**part.environment, "PYTHONPATH": str(_PROJECT)}
        part = part.model_copy(update={"command": (sys.executable, "-m", module), "environment": variables})
    agent = Kept(part, folder)
    agent.start()
    try:
        agent.wait_ready()
        yield FaultDevice(name, folder, agent)
    finally:
        agent.stop()


def enrol(site: Site, name: str, environment: dict[str, str]) -> str:
    """Enrol a device as its own command does; the answer is its id."""
    token = site.client.create_enrollment_token(EnrollmentTokenRequest(uses=1)).token
    command = [program("outrider-agent"), "enroll", site.device_url, token, "--name", name, "--json"]
    done = subprocess.run(
        command,
        env={**inherited(), **environment},
        capture_output=True,
        text=True,
        timeout=_ENROL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    device_id: str = json.loads(done.stdout)["device_id"]
    return device_id
