"""The steps of starting an installer."""

from pathlib import Path

from contract.policy import Policy
from worker.narration.narrate import narrate
from worker.narration.steps import Step


def installer_begins(policy: Policy, folder: Path, command_line: str) -> None:
    """Say which command is about to run, where, and in whose name."""
    narrate(Step.INSTALLER_BEGINS, intent_word=policy.intent.name.lower(), folder=str(folder))
    narrate(Step.COMMAND_PREPARED, install_context=policy.install_experience.run_as_account.value)
    narrate(Step.COMMAND, command_line=command_line)
