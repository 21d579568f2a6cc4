"""The one place where the control plane's parts are chosen and put together."""

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.clock import Clock, SystemClock
from contract.queues import ControlTask
from contract.trusted_keys import TrustedKeys
from control.audit.seals import AuditSealer
from control.audit.trail import AuditTrail
from control.catalog.content import PackageIntake
from control.catalog.content_urls import ContentUrls
from control.catalog.kept_policies import KeptPolicies
from control.catalog.policies import PolicyOffice
from control.database.migrate import upgrade
from control.database.session import Database
from control.dispatch.celery_app import CeleryControlQueue, CeleryDeviceCaller, chain_template, make_app
from control.dispatch.ports import ControlQueue, DeviceCaller, JobPublisher, QueueInspector
from control.dispatch.redis_publisher import RedisJobPublisher
from control.dispatch.redis_queues import RedisQueueInspector
from control.fleet.admission import Admission
from control.fleet.broker_users import RedisBrokerUsers
from control.fleet.check_in import CheckInTerms
from control.fleet.device_auth import DeviceGate
from control.fleet.enrollment import Enrollment, EnrollmentTerms
from control.fleet.job_access import JobAccess
from control.fleet.known_devices import KnownDevices
from control.fleet.reception import Reception
from control.ingest.intake import Intake
from control.secrets.vault import SecretVault
from control.security.command_policy_signer import CommandPolicySigner
from control.security.content_keys import ContentKeys, ensure_key_encryption_key
from control.security.ed25519_files import ensure_signing_key, public_key_of, read_signing_key
from control.security.file_policy_signer import FilePolicySigner, ensure_policy_key, policy_key_folder
from control.security.key_office import KeyOffice, root_key_file
from control.security.nonces import BrokerNonces, NonceMemory
from control.security.policy_signing import PolicySigner
from control.security.rate_limits import RateLimiter
from control.security.trust_chain import TrustChain
from control.security.trust_changes import Term, first_version
from control.services import Services
from control.settings import ControlSettings
from control.shards.addresses import BrokerShard
from control.shards.device_brokers import DeviceBrokers
from control.shards.device_queues import RedisDeviceQueues
from control.shards.hashing import FIRST_SHARD
from control.shards.inspection import ShardedInspector
from storage.objects.port import ObjectStore
from storage.objects.s3 import S3ObjectStore
from storage.objects.s3_settings import S3Settings

#: How long a version of the trusted keys is good; within it somebody must fetch the root keys and sign the next.
TRUST_LIFETIME: Final = timedelta(days=365)


def make_services(settings: ControlSettings) -> Services:
    """The parts that the settings name; nothing is connected yet.

    Raises:
        InputError: A setting is wrong, or `outrider-control init` has not been run.
    """
    broker_url = settings.broker_url.get_secret_value()
    return assemble(
        settings,
        clock=SystemClock(),
        store=make_store(settings),
        signer=make_signer(settings),
        brokers=make_device_brokers(settings.shards),
        nonces=BrokerNonces(broker_url, SystemClock()),
        queue=CeleryControlQueue(make_app(broker_url)),
    )


def assemble(
    settings: ControlSettings,
    *,
    clock: Clock,
    store: ObjectStore,
    signer: PolicySigner,
    brokers: DeviceBrokers,
    nonces: NonceMemory,
    queue: ControlQueue,
) -> Services:
    """The parts put together from the given implementations."""
    database = Database.at(settings.database_url.get_secret_value())
    content_keys = ContentKeys.load(settings.state_dir)
    chain, audit = TrustChain(), AuditTrail(AuditSealer.load(settings.state_dir))
    broker_urls = {shard.name: shard.device_url for shard in settings.shards}
    terms = EnrollmentTerms(broker_urls=broker_urls, check_in_interval=settings.check_in_interval)
    check_in_terms = CheckInTerms(settings.check_in_interval, settings.online_window, broker_urls)
    enrollment, known = Enrollment(brokers.users, chain, audit, terms), KnownDevices(database, clock)
    policies = PolicyOffice(signer, chain, settings.policy_lifetime)
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        store=store,
        content_keys=content_keys,
        secrets=SecretVault.load(settings.state_dir),
        packages=PackageIntake(database, store, content_keys, clock),
        policies=policies,
        kept_policies=KeptPolicies(database, policies, clock),
        content_urls=ContentUrls(store, settings.presign_lifetime, clock),
        jobs=JobAccess(database),
        enrollment=enrollment,
        admission=Admission(database, enrollment, known, clock),
        brokers=brokers,
        audit=audit,
        trust=chain,
        gate=DeviceGate(known, nonces, RateLimiter(settings.device_rate, clock)),
        intake=Intake(database, clock),
        reception=Reception(database, chain, queue, clock, check_in_terms),
        queue=queue,
    )


def make_store(settings: ControlSettings) -> ObjectStore:
    """The content store that the settings name."""
    return S3ObjectStore(
        S3Settings(
            endpoint_url=settings.s3_endpoint,
            public_endpoint_url=settings.s3_public_endpoint,
            region=settings.s3_region,
            bucket=settings.s3_bucket,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
        )
    )


def make_signer(settings: ControlSettings) -> PolicySigner:
    """Signs policies as the settings say: by a command, or with key files in the state folder."""
    if settings.policy_signer_command is not None:
        return CommandPolicySigner(shlex.split(settings.policy_signer_command))
    return FilePolicySigner(policy_key_folder(settings.state_dir))


def make_key_office(settings: ControlSettings, database: Database, clock: Clock) -> KeyOffice:
    """Where the trusted keys are changed.

    Raises:
        InputError: `outrider-control init` has not been run.
    """
    return KeyOffice(database, TrustChain(), AuditTrail(AuditSealer.load(settings.state_dir)), clock)


def begin_trust(settings: ControlSettings, database: Database, signer: PolicySigner, clock: Clock) -> bool:
    """Make a root key and the first version of the trusted keys, unless there are trusted keys already.

    Returns:
        Whether they were made now.
    """
    path = root_key_file(settings.state_dir)

    def first() -> tuple[TrustedKeys, Ed25519PrivateKey]:
        ensure_signing_key(path)
        root = read_signing_key(path)
        term = Term(clock.now(), TRUST_LIFETIME)
        return first_version(signer.public_keys().values(), [public_key_of(root)], term), root

    return make_key_office(settings, database, clock).begin(first) is not None


def make_device_brokers(shards: Sequence[BrokerShard]) -> DeviceBrokers:
    """Makes devices' users at each shard, and moves what waits there."""
    return DeviceBrokers(
        users={shard.name: RedisBrokerUsers(shard.users_url) for shard in shards},
        queues={shard.name: RedisDeviceQueues(shard.users_url) for shard in shards},
    )


def make_publishers(shards: Sequence[BrokerShard]) -> Mapping[str, JobPublisher]:
    """Sends jobs to the devices of each of these shards."""
    template = chain_template()
    return {shard.name: RedisJobPublisher(shard.url, template) for shard in shards}


def make_callers(shards: Sequence[BrokerShard]) -> Mapping[str, DeviceCaller]:
    """Has the devices of each of these shards check in."""
    return {shard.name: CeleryDeviceCaller(make_app(shard.url)) for shard in shards}


def make_inspector(settings: ControlSettings, database: Database) -> QueueInspector:
    """Looks into the devices' queues, wherever they are."""
    inspectors = {shard.name: RedisQueueInspector(shard.url) for shard in settings.shards}
    return inspectors[FIRST_SHARD] if len(inspectors) == 1 else ShardedInspector(database, inspectors)


def beat_intervals(settings: ControlSettings) -> Mapping[ControlTask, timedelta]:
    """How often the scheduler asks for each task."""
    return {
        ControlTask.CATCH_UP: timedelta(seconds=settings.plan_interval_seconds),
        ControlTask.DISPATCH: timedelta(seconds=settings.dispatch_interval_seconds),
        ControlTask.CALL: timedelta(seconds=settings.plan_interval_seconds),
        ControlTask.RECONCILE: timedelta(seconds=settings.reconcile_interval_seconds),
        ControlTask.ROLLOUT: timedelta(seconds=settings.rollout_interval_seconds),
        ControlTask.TALLY: timedelta(seconds=settings.tally_interval_seconds),
        ControlTask.ARCHIVE: timedelta(seconds=settings.archive_interval_seconds),
    }


def initialise(settings: ControlSettings) -> list[str]:
    """Make what a new control plane needs and bring an old one up to date; doing it again changes nothing.

    Returns:
        What was made or checked, in words.

    Raises:
        UnavailableError: The database or the content store does not answer.
    """
    made = ensure_key_encryption_key(settings.state_dir)
    done = [f"key-encryption key: {_made(made)}"]
    if settings.policy_signer_command is None:
        done.append(f"policy key: {_made(ensure_policy_key(policy_key_folder(settings.state_dir)))}")
    with closing(Database.at(settings.database_url.get_secret_value())) as database:
        upgrade(database)
        done.append("database schema: up to date")
        made = begin_trust(settings, database, make_signer(settings), SystemClock())
        done.append(f"root key and trusted keys: {_made(made)}")
    make_store(settings).ensure_ready()
    done.append(f"bucket {settings.s3_bucket}: ready")
    return done


def _made(now: bool) -> str:
    return "made" if now else "there already"
