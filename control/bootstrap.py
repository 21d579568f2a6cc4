"""The one place where the control plane's parts are chosen and put together."""

from collections.abc import Mapping
from datetime import timedelta

from contract.clock import Clock, SystemClock
from contract.queues import ControlTask
from control.audit.seals import AuditSealer
from control.audit.trail import AuditTrail
from control.catalog.content import PackageIntake
from control.catalog.policies import PolicyOffice
from control.database.migrate import upgrade
from control.database.session import Database
from control.dispatch.celery_app import CeleryControlQueue, chain_template, make_app
from control.dispatch.ports import ControlQueue, JobPublisher, QueueInspector
from control.dispatch.redis_publisher import RedisJobPublisher
from control.dispatch.redis_queues import RedisQueueInspector
from control.fleet.broker_users import BrokerUsers, RedisBrokerUsers
from control.fleet.device_auth import DeviceGate
from control.fleet.enrollment import Enrollment, EnrollmentTerms
from control.secrets.vault import SecretVault
from control.security.content_keys import ContentKeys, ensure_key_encryption_key
from control.security.nonces import BrokerNonces, NonceMemory
from control.security.policy_signing import FilePolicySigner, PolicySigner, ensure_policy_key
from control.security.rate_limits import RateLimiter
from control.services import Services
from control.settings import ControlSettings
from storage.objects.port import ObjectStore
from storage.objects.s3 import S3ObjectStore
from storage.objects.s3_settings import S3Settings


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
        signer=FilePolicySigner.load(settings.state_dir),
        broker_users=RedisBrokerUsers((settings.broker_users_url or settings.broker_url).get_secret_value()),
        nonces=BrokerNonces(broker_url, SystemClock()),
        queue=CeleryControlQueue(make_app(broker_url)),
    )


def assemble(
    settings: ControlSettings,
    *,
    clock: Clock,
    store: ObjectStore,
    signer: PolicySigner,
    broker_users: BrokerUsers,
    nonces: NonceMemory,
    queue: ControlQueue,
) -> Services:
    """The parts put together from the given implementations."""
    database = Database.at(settings.database_url.get_secret_value())
    content_keys = ContentKeys.load(settings.state_dir)
    terms = EnrollmentTerms(
        broker_url=settings.broker_url_for_devices,
        policy_keys=signer.public_keys(),
        check_in_interval=settings.check_in_interval,
    )
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        store=store,
        content_keys=content_keys,
        secrets=SecretVault.load(settings.state_dir),
        packages=PackageIntake(database, store, content_keys, clock),
        policies=PolicyOffice(signer, settings.policy_lifetime),
        enrollment=Enrollment(broker_users, terms),
        audit=AuditTrail(AuditSealer.load(settings.state_dir)),
        gate=DeviceGate(nonces, RateLimiter(settings.device_rate, clock)),
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


def make_publisher(settings: ControlSettings) -> JobPublisher:
    """Sends jobs to devices by the broker that the settings name."""
    return RedisJobPublisher(settings.broker_url.get_secret_value(), chain_template())


def make_inspector(settings: ControlSettings) -> QueueInspector:
    """Looks into the devices' queues in the broker that the settings name."""
    return RedisQueueInspector(settings.broker_url.get_secret_value())


def beat_intervals(settings: ControlSettings) -> Mapping[ControlTask, timedelta]:
    """How often the scheduler asks for each task."""
    return {
        ControlTask.PLAN: timedelta(seconds=settings.plan_interval_seconds),
        ControlTask.DISPATCH: timedelta(seconds=settings.dispatch_interval_seconds),
        ControlTask.RECONCILE: timedelta(seconds=settings.reconcile_interval_seconds),
    }


def initialise(settings: ControlSettings) -> list[str]:
    """Make what a new control plane needs and bring an old one up to date; doing it again changes nothing.

    Returns:
        What was made or checked, in words.

    Raises:
        UnavailableError: The database or the content store does not answer.
    """
    done = []
    for made, what in (
        (ensure_policy_key(settings.state_dir), "policy signing key"),
        (ensure_key_encryption_key(settings.state_dir), "key-encryption key"),
    ):
        done.append(f"{what}: {'made' if made else 'there already'}")
    database = Database.at(settings.database_url.get_secret_value())
    try:
        upgrade(database)
    finally:
        database.close()
    done.append("database schema: up to date")
    make_store(settings).ensure_ready()
    done.append(f"bucket {settings.s3_bucket}: ready")
    return done
