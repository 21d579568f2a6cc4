"""What rules are judged against: the platform, and scripts run on it."""

from dataclasses import dataclass
from pathlib import Path

from contract.rules import ScriptRule
from worker.judgement.verdict import not_evaluated
from worker.platform.port import Platform
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
            PhaseError: RULE_EVALUATION_FAILED: it could not be run, or ran too long.
        """
        interpreter = rule.interpreter or self.platform.script_interpreter()
        try:
            return run_script(
                rule.script_content,
                interpreter=interpreter,
                folder=self.scripts,
                environment=self.environment.variables(),
                limit_seconds=rule.time_limit_seconds,
            )
        except ScriptFailedError as error:
            raise not_evaluated(str(error), place="script") from error
