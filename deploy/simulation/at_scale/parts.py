"""The stack of a run: the usual parts but for the dashboard, and as many processes of the API as wanted."""

from collections.abc import Mapping

from deploy.local.part import Part
from deploy.local.plan import StandardPart
from deploy.local.ports import HOST, find_free_port
from deploy.local.readiness import AnswersHttp
from deploy.local.stack import LocalStack
from deploy.simulation.at_scale.plan import RunPlan


def start(stack: LocalStack, plan: RunPlan) -> list[str]:
    """Start everything with the run's settings.

    Returns:
        Where the API answers.

    Raises:
        OutriderError: A part did not start.
    """
    addresses = stack.up(StandardPart.BROKER, StandardPart.STORE, StandardPart.API)
    settings = plan.settings()
    first = _with(stack.part(StandardPart.API), settings)
    ports = dict(addresses.ports)
    more = []
    for number in range(2, plan.apis + 1):
        port = find_free_port(avoid=set(ports.values()))
        ports[f"api-{number}"] = port
        more.append(_another_api(first, number, port))
    others = [_with(stack.part(name), settings) for name in (StandardPart.WORKER, StandardPart.SCHEDULER)]
    stack.add(first, *more, *others)
    return [addresses.api_url, *(f"http://{HOST}:{ports[part.name]}" for part in more)]


def _with(part: Part, settings: Mapping[str, str]) -> Part:
    return part.model_copy(update={"environment": {**part.environment, **settings}})


def _another_api(first: Part, number: int, port: int) -> Part:
    *command, _port = first.command
    ready = AnswersHttp(port=port, path="/v1/health")
    return first.model_copy(update={"name": f"api-{number}", "command": (*command, str(port)), "ready": ready})
