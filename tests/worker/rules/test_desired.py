import pytest

from contract.states import DesiredState, DetectionState, Intent, Outcome
from worker.rules.desired import already_as_desired, brought_about, desired_state, is_as_desired


@pytest.mark.parametrize("intent", [Intent.REQUIRED, Intent.AVAILABLE, Intent.NOT_TARGETED])
def test_installing_intents_want_the_app_there(intent: Intent) -> None:
    assert desired_state(intent) is DesiredState.PRESENT
    assert is_as_desired(intent, DetectionState.DETECTED)
    assert not is_as_desired(intent, DetectionState.NOT_DETECTED)
    assert already_as_desired(intent) is Outcome.ALREADY_INSTALLED
    assert brought_about(intent) is Outcome.INSTALLED


def test_uninstall_wants_it_gone() -> None:
    assert desired_state(Intent.UNINSTALL) is DesiredState.NOT_PRESENT
    assert is_as_desired(Intent.UNINSTALL, DetectionState.NOT_DETECTED)
    assert not is_as_desired(Intent.UNINSTALL, DetectionState.DETECTED)
    assert already_as_desired(Intent.UNINSTALL) is Outcome.ALREADY_ABSENT
    assert brought_about(Intent.UNINSTALL) is Outcome.UNINSTALLED


@pytest.mark.parametrize("intent", list(Intent))
def test_an_unknown_detection_is_never_as_desired(intent: Intent) -> None:
    assert not is_as_desired(intent, DetectionState.UNKNOWN)
