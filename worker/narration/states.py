"""The steps of setting an app's states."""

from worker.app_state import AppState
from worker.narration.narrate import narrate
from worker.narration.steps import Step


def states_set(state: AppState) -> None:
    """Say what the states of an app are now, in the original's own fields."""
    narrate(Step.COMPLIANCE_SET, message=state.compliance.original())
    narrate(Step.ENFORCEMENT_SET, message=state.enforcement.original(), outcome=state.outcome.value)
