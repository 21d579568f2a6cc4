"""The steps of a run: enrol a fleet, publish an app, roll it out, wait, add up."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from rich.console import Console

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from contract.states import Intent
from control.catalog.manifest import Manifest
from control.catalog.manifest_reader import read_manifest
from control.client.control_client import ControlClient
from control.rollouts.spec import FailureGate, Ring, RolloutSpec, SuccessGate
from control.rollouts.states import OperatorAction, RolloutState
from control.views.access import EnrollmentTokenRequest
from control.views.assignments import AssignmentRequest
from control.views.job_selection import JobQuery
from control.views.rollouts import RolloutOrder, RolloutRequest
from control.views.status import JobSummary
from deploy.demo.commands import Typist
from deploy.demo.devices import APP_SOURCE
from deploy.demo.scenario import MANIFEST, SETUP_FILE
from deploy.local.control_parts import control_environment
from deploy.local.stack import LocalStack
from deploy.simulation.at_scale.meter import Meter, Usage
from deploy.simulation.at_scale.parts import start
from deploy.simulation.at_scale.plan import RunPlan
from deploy.simulation.at_scale.result import PartCost, RunResult
from deploy.simulation.fleet import FleetFile
from deploy.simulation.simulation import Simulation, running
from deploy.simulation.standing import Standing

_GROUP = "fleet"
_CHECK_IN = "POST /v1/device/check-in"
#: From one look at the simulation to the next.
_LOOK_SECONDS = 1.0
#: From one progress line to the next.
_LINE_SECONDS = 10.0
#: The app's installers fail on this much less than is allowed for.
_MARGIN_PERCENT = 5.0
_ENDED = frozenset({RolloutState.FINISHED, RolloutState.HALTED, RolloutState.CANCELLED, RolloutState.ROLLED_BACK})


@dataclass
class _Moments:
    """When what was begun and had been taken, by the names of the steps."""

    at: dict[str, float] = field(default_factory=dict)
    usage: dict[str, Mapping[str, Usage]] = field(default_factory=dict)

    def note(self, name: str, meter: Meter) -> None:
        """Note a moment."""
        self.at[name], self.usage[name] = time.monotonic(), meter.read()

    def seconds(self, first: str, last: str) -> float:
        """Between two moments; 0 where one did not come."""
        return self.at.get(last, 0.0) - self.at[first] if first in self.at and last in self.at else 0.0


class Run:
    """One rollout over a simulated fleet, from nothing to its end."""

    def __init__(self, plan: RunPlan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._stack = LocalStack(plan.folder)
        self._meter = Meter(self._stack.layout.folder)
        self._moments = _Moments()

    @property
    def stack(self) -> LocalStack:
        """Where everything runs."""
        return self._stack

    def play(self) -> RunResult:
        """Carry it all out; the stack is left running.

        Raises:
            OutriderError: A part did not start, or the control plane refused something.
        """
        load = os.getloadavg()[0]
        self._say("starting brokers, content store, API, workers and scheduler")
        urls = start(self._stack, self._plan)
        fleet_folder = self._plan.folder / "devices"
        fleet_folder.mkdir(mode=0o700, exist_ok=True)
        with self._client() as client, self._meter.running():
            manifest = self._publish(client)
            client.create_group(_GROUP)
            # Held back, it is sent to nobody; and nobody has to look at the whole fleet for it later.
            client.assign(AssignmentRequest(app=manifest.name, group=_GROUP, intent=Intent.REQUIRED))
            token = self._token(client, FleetFile(fleet_folder))
            self._moments.note("enrolment", self._meter)
            with running(fleet_folder, self._plan.fleet, self._plan.processes, urls, token) as simulation:
                self._meter.simulation = lambda: simulation.pids
                problem = self._roll_out(client, simulation, manifest.name)
                told = simulation.standing()
            return self._result(client, manifest.name, told, problem, load)

    def _client(self) -> ControlClient:
        addresses = self._stack.addresses
        server = Typist(self._console, control_environment(self._stack.layout, addresses))
        token = server.ask("outrider-control", "token", "create", "--role", "admin", "--name", "simulate", shown=False)
        return ControlClient(addresses.api_url, str(token["token"]))

    def _publish(self, client: ControlClient) -> Manifest:
        """Publish the demo's app, held back: what is assigned is sent to nobody before the rollout."""
        packages = self._plan.folder / "packages"
        here = Typist(self._console, {})
        arguments = ("--setup", SETUP_FILE, "--output", str(packages), "--quiet")
        here.type("outrider", "package", "build", str(APP_SOURCE), *arguments, shown=False)
        package = client.upload(packages / Path(SETUP_FILE).with_suffix(".intunewin"), lambda _bytes: None)
        manifest = read_manifest(MANIFEST)
        client.publish(manifest, package.digest, hold=True)
        return manifest

    def _token(self, client: ControlClient, file: FleetFile) -> str:
        known = file.names()
        fleet = self._plan.fleet
        missing = sum(fleet.name_of(number) not in known for number in range(1, fleet.devices + 1))
        if not missing:
            return ""
        return client.create_enrollment_token(EnrollmentTokenRequest(group=_GROUP, uses=missing)).token

    def _roll_out(self, client: ControlClient, simulation: Simulation, app: str) -> str:
        """Enrol, roll out, wait; the answer is why it did not come to its end, or empty."""
        devices = self._plan.fleet.devices
        name = f"{app} at scale"
        try:
            self._wait(simulation, "enrolled", lambda now: now.enrolled)
            self._wait(simulation, "checked in", lambda now: now.requests[_CHECK_IN])
            self._moments.note("rollout", self._meter)
            client.create_rollout(RolloutRequest(app=app, name=name, spec=self._spec()))
            client.steer_rollout(name, OperatorAction.START, RolloutOrder())
            self._wait(simulation, "reported by devices", lambda now: now.requests["POST /v1/device/reports"])
            self._wait_for_end(client, name, app)
            self._moments.note("end", self._meter)
        except OutriderError as error:
            self._moments.note("end", self._meter)
            return f"{error} ({devices} devices)"
        return ""

    def _spec(self) -> RolloutSpec:
        """One in a hundred devices, then ten, then all, each once the ring before it has shown that it works."""
        enough = SuccessGate(percent=max(0.0, 100.0 * (1 - self._plan.fleet.failing) - _MARGIN_PERCENT))
        any_failure = FailureGate(percent=None)
        sizes: Mapping[str, float | None] = {"pilot": 1.0, "early": 10.0, "all": None}
        rings = tuple(
            Ring(name=name, percent=percent, success=enough, failure=any_failure) for name, percent in sizes.items()
        )
        return RolloutSpec(rings=rings)

    def _wait(self, simulation: Simulation, what: str, count: Callable[[Standing], int]) -> None:
        """Until the count has reached all devices.

        Raises:
            OutriderError: Nothing has moved for too long.
        """
        wanted, seen = self._plan.fleet.devices, -1
        begun = moved = told = time.monotonic()
        while seen < wanted:
            now, found = time.monotonic(), count(simulation.standing())
            if found != seen:
                seen, moved = found, now
            elif now - moved > self._plan.stall_seconds:
                detail = f"{seen} of {wanted} devices have {what}, and nothing moved for {now - moved:.0f} s"
                raise OutriderError(ErrorCode.STACK_FAILED, detail=detail)
            if now - told >= _LINE_SECONDS or seen >= wanted:
                told = now
                rate = seen / max(now - begun, _LOOK_SECONDS)
                self._say(f"{what}: {seen} of {wanted}, {rate:.0f} a second")
            time.sleep(_LOOK_SECONDS if seen < wanted else 0)

    def _wait_for_end(self, client: ControlClient, rollout: str, app: str) -> None:
        """Until the control plane says that the rollout is over, and has a result of each job.

        Raises:
            OutriderError: Nothing has moved for too long.
        """
        seen: tuple[object, ...] = ()
        moved = time.monotonic()
        while True:
            found, summary = client.rollout(rollout), client.summary(JobQuery(app=app))
            now = time.monotonic()
            standings = tuple(tuple(sorted(ring.standings.items())) for ring in found.rings)
            if (found.state, summary.under_way, standings) != seen:
                seen, moved = (found.state, summary.under_way, standings), now
            self._say(f"rollout {found.state}: {found.next_action or found.reason}; under way {summary.under_way}")
            if found.state in _ENDED and summary.under_way == 0:
                return
            if now - moved > self._plan.stall_seconds:
                raise OutriderError(ErrorCode.STACK_FAILED, detail=f"the rollout is {found.state}: {found.next_action}")
            time.sleep(_LINE_SECONDS if summary.under_way else _LOOK_SECONDS)

    def _result(self, client: ControlClient, app: str, told: Standing, problem: str, load: float) -> RunResult:
        summary = client.summary(JobQuery(app=app))
        rollouts = list(client.rollouts(app=app))
        return RunResult(
            devices=self._plan.fleet.devices,
            processes=self._plan.processes,
            apis=self._plan.apis,
            shards=self._plan.shards,
            database=self._stack.addresses.database_url.partition(":")[0],
            enrolment_seconds=self._moments.seconds("enrolment", "rollout"),
            rollout_seconds=self._moments.seconds("rollout", "end"),
            rollout_state=rollouts[-1].state if rollouts else "not begun",
            reported=summary.jobs - summary.under_way,
            outcomes=_outcomes(summary),
            told_by_devices=dict(told.outcomes),
            installed_twice=told.installed_twice,
            stumbles=told.stumbles,
            requests=dict(told.requests),
            refused=dict(told.refused),
            bytes_sent=told.bytes_sent,
            bytes_received=told.bytes_received,
            parts=self._costs(),
            load=(load, os.getloadavg()[0]),
            cores=psutil.cpu_count() or 1,
            problem=problem,
        )

    def _costs(self) -> tuple[PartCost, ...]:
        moments, nothing = self._moments.usage, Usage()
        end = moments.get("end", {})
        begin, middle = moments.get("enrolment", {}), moments.get("rollout", end)
        return tuple(
            PartCost(
                name=name,
                enrolment_cpu_seconds=middle.get(name, nothing).cpu_seconds - begin.get(name, nothing).cpu_seconds,
                rollout_cpu_seconds=usage.cpu_seconds - middle.get(name, nothing).cpu_seconds,
                peak_mib=usage.peak_mib,
                processes=usage.processes,
            )
            for name, usage in end.items()
        )

    def _say(self, words: str) -> None:
        self._console.print(f"{time.strftime('%H:%M:%S', time.gmtime())} {words}", highlight=False)


def _outcomes(summary: JobSummary) -> dict[str, int]:
    words = ("done", "not_applicable", "failed", "cancelled", "retrying", "under_way")
    return {word.replace("_", " "): getattr(summary, word) for word in words if getattr(summary, word)}
