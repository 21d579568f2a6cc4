"""What rules are judged against: the platform, and scripts run on it."""

from dataclasses import dataclass
from pathlib import Path

from contract.rules import ScriptRule
from worker.judgement.verdict import CannotTellError
from worker.platform.port import Platform, View
from worker.processes.environment import Environment
from worker.processes.script import ScriptFailedError, ScriptResult, run_script


@dataclass(frozen=True)
class Machine:
    """The machine as rules see it.

    Attributes:
        scripts: The folder scripts are written to while they run.
        environment: What scripts may see.
    """

    platform: Platform
    scripts: Path
    environment: Environment

    def run_script(self, rule: ScriptRule) -> ScriptResult:
        """Run a rule's script to its end.

        Raises:
            CannotTellError: It could not be run, ran too long, or must be signed and is not: none of these says that
                the app is not there.
        """
        view = View.BITS_32 if rule.run_as32_bit else View.NATIVE
        interpreter = rule.interpreter or self.platform.script_interpreter(view)
        try:
            return run_script(
                rule.script_content,
                interpreter=interpreter,
                folder=self.scripts,
                environment=self.environment.variables(),
                limit_seconds=rule.time_limit_seconds,
                inspect=self._make_sure_it_is_signed if rule.enforce_signature_check else None,
            )
        except ScriptFailedError as error:
            raise CannotTellError(f"script: {error}") from error

    def _make_sure_it_is_signed(self, script: Path) -> None:
        try:
            reason = self.platform.why_untrusted(script)
        except OSError as error:
            reason = error.strerror or str(error)
        if reason:
            raise CannotTellError(f"script: its signature does not hold: {reason}")
