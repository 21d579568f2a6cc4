"""The parts of the control plane as its doors (API, workers) need them, chosen in `control.bootstrap`."""

from dataclasses import dataclass

from contract.clock import Clock
from control.audit.trail import AuditTrail
from control.catalog.content import PackageIntake
from control.catalog.content_urls import ContentUrls
from control.catalog.kept_policies import KeptPolicies
from control.catalog.policies import PolicyOffice
from control.database.session import Database
from control.dispatch.ports import ControlQueue
from control.fleet.admission import Admission
from control.fleet.device_auth import DeviceGate
from control.fleet.enrollment import Enrollment
from control.fleet.job_access import JobAccess
from control.fleet.reception import Reception
from control.ingest.intake import Intake
from control.secrets.vault import SecretVault
from control.security.content_keys import ContentKeys
from control.security.trust_chain import TrustChain
from control.settings import ControlSettings
from control.shards.device_brokers import DeviceBrokers
from storage.objects.port import ObjectStore


@dataclass(frozen=True)
class Services:
    """One object handed to every door."""

    settings: ControlSettings
    clock: Clock
    database: Database
    store: ObjectStore
    content_keys: ContentKeys
    secrets: SecretVault
    packages: PackageIntake
    policies: PolicyOffice
    kept_policies: KeptPolicies
    content_urls: ContentUrls
    jobs: JobAccess
    enrollment: Enrollment
    admission: Admission
    brokers: DeviceBrokers
    gate: DeviceGate
    intake: Intake
    reception: Reception
    audit: AuditTrail
    trust: TrustChain
    queue: ControlQueue
