"""Rules that run in a user's name wait until somebody is logged on."""

from collections.abc import Iterable

from contract.report import WaitReason
from contract.rules import Rule, RunAsAccount, ScriptRule
from worker.installation.user_context import logged_on_user
from worker.phases.context import Deferred
from worker.platform.port import Platform

#: From one look for a logged-on user to the next.
NO_USER_WAIT_SECONDS = 60.0


def wait_for_user(rules: Iterable[Rule], platform: Platform) -> Deferred | None:
    """The wait of a phase that has to ask a user's script while nobody is logged on; None where it can go on."""
    asks_users = any(isinstance(rule, ScriptRule) and rule.run_as_account is RunAsAccount.USER for rule in rules)
    if not asks_users or logged_on_user(platform) is not None:
        return None
    return Deferred(WaitReason.NO_USER, NO_USER_WAIT_SECONDS, "a rule's script runs in the user's name")
