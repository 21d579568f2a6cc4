"""The stack of a run: the usual parts but for the dashboard, and as many brokers and processes of the API as wanted."""

from collections.abc import Mapping

from control.shards.hashing import FIRST_SHARD
from deploy.local.part import Part
from deploy.local.plan import StandardPart
from deploy.local.ports import HOST, find_free_port
from deploy.local.readiness import AnswersHttp
from deploy.local.stack import LocalStack
from deploy.simulation.at_scale.plan import RunPlan
from deploy.simulation.at_scale.shards import Shard, dispatcher, shard_settings


def start(stack: LocalStack, plan: RunPlan) -> list[str]:
    """Start everything with the run's settings.

    Returns:
        Where the API answers.

    Raises:
        OutriderError: A part did not start.
    """
    addresses = stack.up(StandardPart.BROKER, StandardPart.STORE, StandardPart.API)
    ports = dict(addresses.ports)
    shards = [Shard(name, _add_port(ports, name)) for name in _numbered("broker", plan.shards)]
    stack.add(*(shard.broker(stack.layout) for shard in shards))
    settings = {**plan.settings(), **shard_settings(shards)}
    first = with_settings(stack.part(StandardPart.API), settings)
    more = [_another_api(first, name, _add_port(ports, name)) for name in _numbered("api", plan.apis)]
    worker = with_settings(stack.part(StandardPart.WORKER), settings)
    # The stack's one broker needs none: its worker sends.
    names = [FIRST_SHARD, *(shard.name for shard in shards)] if shards else []
    dispatchers = [dispatcher(worker, name) for name in names]
    scheduler = with_settings(stack.part(StandardPart.SCHEDULER), settings)
    stack.add(first, *more, worker, *dispatchers, scheduler)
    return [addresses.api_url, *(f"http://{HOST}:{ports[part.name]}" for part in more)]


def with_settings(part: Part, settings: Mapping[str, str]) -> Part:
    """The same part that is told more."""
    return part.model_copy(update={"environment": {**part.environment, **settings}})


def _numbered(name: str, count: int) -> list[str]:
    """What all but the first of so many parts are called."""
    return [f"{name}-{number}" for number in range(2, count + 1)]


def _add_port(ports: dict[str, int], name: str) -> int:
    ports[name] = find_free_port(avoid=set(ports.values()))
    return ports[name]


def _another_api(first: Part, name: str, port: int) -> Part:
    *command, _port = first.command
    ready = AnswersHttp(port=port, path="/v1/health")
    return first.model_copy(update={"name": name, "command": (*command, str(port)), "ready": ready})
