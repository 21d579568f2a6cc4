"""The device's memory, table by table."""

from pathlib import Path

from worker.ledger.apps import Apps
from worker.ledger.attempts import Attempts
from worker.ledger.database import Database
from worker.ledger.holds import Holds
from worker.ledger.installs import Installs
from worker.ledger.orders import Orders
from worker.ledger.outbox import Outbox
from worker.ledger.policies import Policies
from worker.ledger.restarts import RestartTable
from worker.ledger.trust import TrustTable
from worker.state_mirror import NoStateMirror, StateMirror


class Ledger:
    """One SQLite file; safe for use by several threads of the agent and for reading by other processes.

    Attributes:
        database: The file itself.
        attempts: Jobs, attempts and phases.
        installs: Installer runs.
        orders: What an operator has ordered about jobs.
        holds: Which apps failed and are not to be executed before when.
        apps: The last result of each app.
        restarts: Restarts that apps wait for.
        policies: Signed policies by digest.
        trust: The newest version of the trusted keys.
        outbox: Undelivered reports.

    Raises:
        DocumentError: The file was written by a newer agent.
    """

    def __init__(self, path: Path, mirror: StateMirror | None = None) -> None:
        self.database = Database(path)
        self.attempts = Attempts(self.database)
        self.installs = Installs(self.database)
        self.orders = Orders(self.database)
        self.holds = Holds(self.database)
        self.apps = Apps(self.database, mirror or NoStateMirror())
        self.restarts = RestartTable(self.database)
        self.policies = Policies(self.database)
        self.trust = TrustTable(self.database)
        self.outbox = Outbox(self.database)

    def close(self) -> None:
        """Close the file."""
        self.database.close()
