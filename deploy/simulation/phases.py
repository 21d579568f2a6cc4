"""The phases of a simulated device: the agent's own, but for those that would change or look at a machine."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.phases import Phase
from contract.states import DetectionState, Intent
from deploy.simulation.clock import SkippingClock
from deploy.simulation.script import DeviceScript
from worker.phases.context import PhaseContext, PhaseFunction, PhaseResult, done, failed, settled
from worker.phases.follow_up import unless_only_evaluated, unless_withheld
from worker.phases.install_time import at_its_time
from worker.phases.table import PHASE_FUNCTIONS
from worker.progress import INTERVAL_SECONDS
from worker.rules.desired import already_as_desired, brought_about, is_as_desired
from worker.rules.exit_codes import failure, is_success, meaning


@dataclass
class SimulatedMachine:
    """What a machine would hold.

    Attributes:
        while_installing: Called a second after an installer was started that takes longer.
        installed: The revision of each app that is there.
        has_repeated: An installer succeeded for a revision that was there already.
    """

    script: DeviceScript
    clock: SkippingClock
    while_installing: Callable[[], object]
    installed: dict[str, int] = field(default_factory=dict)
    has_repeated: bool = False

    def functions(self) -> Mapping[Phase, PhaseFunction]:
        """The agent's phases with this machine in place of a real one."""
        return {
            **PHASE_FUNCTIONS,
            Phase.DETECT: self._detect,
            Phase.REQUIREMENTS: _requirements,
            Phase.DOWNLOAD: unless_only_evaluated(unless_withheld(_download)),
            Phase.UNPACK: _unpack,
            Phase.INSTALL: at_its_time(self._install),
            Phase.CONFIRM: self._confirm,
        }

    def _detect(self, context: PhaseContext) -> PhaseResult:
        intent, state = context.policy.intent, self._state(context)
        findings = context.findings.model_copy(update={"detection_state": state})
        if is_as_desired(intent, state):
            as_desired = findings.model_copy(update={"outcome": already_as_desired(intent)})
            return settled(as_desired, self._words(context))
        return done(findings, self._words(context))

    def _install(self, context: PhaseContext) -> PhaseResult:
        policy, script = context.policy, self.script
        exit_code = script.exit_code_of(policy.revision, context.ref.attempt)
        self._take_time(script.install_seconds)
        kind = meaning(exit_code, policy.return_codes)
        findings = context.findings.model_copy(update={"raw_exit_code": exit_code, "exit_kind": kind})
        if not is_success(kind):
            return failed(findings, failure(exit_code, kind))
        if policy.intent is Intent.UNINSTALL:
            self.installed.pop(policy.app_id, None)
        else:
            self.has_repeated |= self.installed.get(policy.app_id) == policy.revision
            self.installed[policy.app_id] = policy.revision
        return done(findings, f"exit code {exit_code}, simulated")

    def _take_time(self, seconds: float) -> None:
        at_first = min(seconds, INTERVAL_SECONDS)
        self.clock.skip(at_first)
        if seconds > at_first:
            self.while_installing()
        self.clock.skip(seconds - at_first)

    def _confirm(self, context: PhaseContext) -> PhaseResult:
        intent = context.policy.intent
        found = {"detection_state": self._state(context), "outcome": brought_about(intent)}
        return done(context.findings.model_copy(update=found), self._words(context))

    def _state(self, context: PhaseContext) -> DetectionState:
        there, policy = self.installed.get(context.policy.app_id), context.policy
        is_there = there is not None if policy.intent is Intent.UNINSTALL else there == policy.revision
        return DetectionState.DETECTED if is_there else DetectionState.NOT_DETECTED

    def _words(self, context: PhaseContext) -> str:
        there = self.installed.get(context.policy.app_id)
        return "simulated: nothing is there" if there is None else f"simulated: revision {there} is there"


def _requirements(context: PhaseContext) -> PhaseResult:
    return done(context.findings, "simulated: rules hold")


def _download(context: PhaseContext) -> PhaseResult:
    """Fetch the content as an agent does, and keep none of it."""
    device, content = context.device, context.policy.content
    info = device.uplink.content_info(context.ref)
    device.keys.open(context.ref, info, digest=content.digest)
    digest, fetched = hashlib.sha256(), 0
    with device.source.open(info.url, first=0) as stream:
        for chunk in stream.chunks:
            digest.update(chunk)
            fetched += len(chunk)
            context.on_bytes(fetched, content.size)
    if digest.hexdigest() != content.digest:
        raise PhaseError(ErrorCode.CONTENT_CORRUPT, detail=f"{fetched} bytes with another digest", place=content.digest)
    findings = context.findings.model_copy(update={"bytes_downloaded": fetched})
    return done(findings, f"{fetched} bytes fetched", bytes_done=fetched)


def _unpack(context: PhaseContext) -> PhaseResult:
    context.device.keys.forget(context.ref)
    return done(context.findings, "simulated: nothing is written", bytes_done=context.policy.content.plain_size)
