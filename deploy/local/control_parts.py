"""The control plane's own processes as parts of the stack, and the agents."""

import sys
import sysconfig
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from deploy.local.addresses import StackAddresses
from deploy.local.broker_rules import BrokerUser
from deploy.local.layout import StackLayout
from deploy.local.part import STACK_VARIABLE, Part
from deploy.local.ports import HOST
from deploy.local.readiness import AnswersHttp, ListensOn, LogSays

_FLOWER_CONFIGURATION = Path(__file__).resolve().parent.parent / "flower" / "flowerconfig.py"
#: The agent's setting that names which of its variables installers may see.
_VISIBLE_TO_INSTALLERS = "OUTRIDER_AGENT_PASS_ENVIRONMENT"
_START = timedelta(seconds=60)
#: A Celery worker finishes the task at hand before it ends.
_WORKER_STOP = timedelta(seconds=20)


def program(name: str) -> str:
    """The path of one of the project's own commands, beside the Python that runs now."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def control_environment(
    layout: StackLayout, addresses: StackAddresses, user: BrokerUser = BrokerUser.WORKER
) -> dict[str, str]:
    """What a process of the control plane is told; `user` is who it is at the broker."""
    return {
        "DATABASE_URL": addresses.database_url,
        "BROKER_URL": addresses.broker_urls[user],
        "S3_ENDPOINT": addresses.s3_endpoint,
        "S3_BUCKET": addresses.s3_bucket,
        "S3_REGION": addresses.s3_region,
        "S3_ACCESS_KEY": addresses.s3_access_key,
        "S3_SECRET_KEY": addresses.s3_secret_key,
        "OUTRIDER_STATE_DIR": str(layout.control_state),
        "OUTRIDER_PUBLIC_URL": addresses.api_url,
        "OUTRIDER_DEVICE_BROKER_URL": addresses.device_broker_url,
    }


def api_part(layout: StackLayout, addresses: StackAddresses) -> Part:
    """The API that operators and devices talk to."""
    port = addresses.ports["api"]
    return Part(
        name="api",
        command=(program("outrider-control"), "api", "--host", HOST, "--port", str(port)),
        environment={
            **control_environment(layout, addresses, BrokerUser.API),
            "OUTRIDER_BROKER_USERS_URL": addresses.broker_urls[BrokerUser.FLEET],
        },
        ready=AnswersHttp(port=port, path="/v1/health"),
        start_timeout=_START,
    )


def worker_part(layout: StackLayout, addresses: StackAddresses) -> Part:
    """The control plane's Celery worker."""
    return Part(
        name="worker",
        command=(program("outrider-control"), "worker"),
        environment=control_environment(layout, addresses),
        ready=LogSays(words=" ready."),
        start_timeout=_START,
        stop_timeout=_WORKER_STOP,
    )


def scheduler_part(layout: StackLayout, addresses: StackAddresses) -> Part:
    """What starts the control plane's periodic work."""
    return Part(
        name="scheduler",
        command=(program("outrider-control"), "scheduler"),
        environment=control_environment(layout, addresses, BrokerUser.SCHEDULER),
        start_timeout=_START,
    )


def flower_part(addresses: StackAddresses) -> Part:
    """The dashboard; what it is told stays out of its command line, which everybody on the machine can read."""
    port = addresses.ports["flower"]
    return Part(
        name="flower",
        command=(sys.executable, "-m", "celery", "flower", f"--conf={_FLOWER_CONFIGURATION}"),
        environment={
            "CELERY_CONFIG_MODULE": "deploy.flower.celeryconfig",
            "CELERY_BROKER_URL": addresses.broker_urls[BrokerUser.FLOWER],
            "OUTRIDER_FLOWER_PORT": str(port),
            "OUTRIDER_FLOWER_USER": addresses.flower_user,
            "OUTRIDER_FLOWER_PASSWORD": addresses.flower_password,
        },
        ready=ListensOn(port=port),
        start_timeout=_START,
    )


def agent_part(name: str, environment: Mapping[str, str]) -> Part:
    """A device agent that was enrolled in the state folder its environment names.

    Installers live in sessions of their own and outlive their agent; they are allowed to see the stack's name so that
    taking the stack down ends them, too.

    Args:
        name: The part's name, unique in the stack.
        environment: What the agent reads its settings from.
    """
    passed = [STACK_VARIABLE, environment.get(_VISIBLE_TO_INSTALLERS, "")]
    return Part(
        name=name,
        command=(program("outrider-agent"), "run"),
        environment={**environment, _VISIBLE_TO_INSTALLERS: ",".join(filter(None, passed))},
        ready=LogSays(words=" ready."),
        start_timeout=_START,
        stop_timeout=_WORKER_STOP,
    )
