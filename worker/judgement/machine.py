"""What rules are judged against: the platform, and scripts run on it."""

from dataclasses import dataclass
from pathlib import Path

from contract.rules import RunAsAccount, ScriptRule
from worker.installation.user_context import LoggedOnUser, logged_on_user
from worker.judgement.verdict import CannotTellError
from worker.narration.scripts import script_begins, script_ended, script_failed
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
        user = self._user(rule)
        script_begins(interpreter, rule.time_limit_seconds)
        try:
            result = run_script(
                rule.script_content,
                interpreter=interpreter,
                folder=self.scripts,
                environment=self.environment.variables(**({} if user is None else user.variables())),
                limit_seconds=rule.time_limit_seconds,
                inspect=self._make_sure_it_is_signed if rule.enforce_signature_check else None,
                account=None if user is None else user.account,
            )
        except ScriptFailedError as error:
            script_failed(str(error))
            raise CannotTellError(f"script: {error}") from error
        script_ended(result)
        return result

    def _user(self, rule: ScriptRule) -> LoggedOnUser | None:
        if rule.run_as_account is not RunAsAccount.USER:
            return None
        user = logged_on_user(self.platform)
        if user is None:
            raise CannotTellError("script: it runs in a user's name, and nobody is logged on")
        return user

    def _make_sure_it_is_signed(self, script: Path) -> None:
        try:
            reason = self.platform.why_untrusted(script)
        except OSError as error:
            reason = error.strerror or str(error)
        if reason:
            raise CannotTellError(f"script: its signature does not hold: {reason}")
