"""All tables. Importing this package registers every one of them on `Base.metadata`."""

from control.database.tables.access import EnrollmentToken, OperatorToken
from control.database.tables.app_requests import AppRequestRow
from control.database.tables.audit import AuditEntry
from control.database.tables.base import Base
from control.database.tables.catalog import App, DeliverySettingsRow, Package, PolicyRow, RelationRow, Revision
from control.database.tables.filters import Filter
from control.database.tables.fleet import Assignment, Device, Group, GroupMember
from control.database.tables.history import ArchivedJob
from control.database.tables.jobs import AdmissionRow, Job, OrderRow, OutboxEntry, PhaseRow, ReportRow
from control.database.tables.planning import PlanningRow
from control.database.tables.requests import CallRow, CounterRow, KeptAnswer
from control.database.tables.rollouts import Rollout, RolloutDevice, RolloutEvent, RolloutRing
from control.database.tables.secrets import RevisionSecret, Secret
from control.database.tables.tallies import GroupTally, JobTally, RolloutTally
from control.database.tables.trust import TrustedKeysRow
from control.roles import Role

__all__ = [
    "AdmissionRow",
    "App",
    "AppRequestRow",
    "ArchivedJob",
    "Assignment",
    "AuditEntry",
    "Base",
    "CallRow",
    "CounterRow",
    "DeliverySettingsRow",
    "Device",
    "EnrollmentToken",
    "Filter",
    "Group",
    "GroupMember",
    "GroupTally",
    "Job",
    "JobTally",
    "KeptAnswer",
    "OperatorToken",
    "OrderRow",
    "OutboxEntry",
    "Package",
    "PhaseRow",
    "PlanningRow",
    "PolicyRow",
    "RelationRow",
    "ReportRow",
    "Revision",
    "RevisionSecret",
    "Role",
    "Rollout",
    "RolloutDevice",
    "RolloutEvent",
    "RolloutRing",
    "RolloutTally",
    "Secret",
    "TrustedKeysRow",
]
