"""What the device keeps of an app, in its own words and in the original's."""

import json
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from contract.phases import Phase
from contract.states import Intent
from tests.worker.rig import START, Rig
from worker.app_state import AppState
from worker.ledger.ledger import Ledger


@dataclass
class RecordingMirror:
    """Keeps what it is shown."""

    shown: list[AppState] = field(default_factory=list)

    def put(self, state: AppState) -> None:
        self.shown.append(state)


def _state(rig: Rig) -> AppState:
    state = rig.device.ledger.apps.state("editor")
    assert state is not None
    return state


@pytest.mark.behaviour("B-59", "2.6 ComplianceStateMessage")
def test_the_compliance_message_has_the_originals_names_and_numbers(rig: Rig) -> None:
    rig.run(rig.new_job())
    assert _state(rig).compliance.original() == {
        "Applicability": 0,
        "ComplianceState": 1,
        "DesiredState": 2,
        "ErrorCode": 0,
        "TargetingMethod": 0,
        "InstallContext": 2,
        "TargetType": 2,
        "ProductVersion": "1.0",
    }


@pytest.mark.behaviour("2.5 TargetingMethod", "2.5 TargetType")
def test_an_app_that_others_only_depend_on_says_so(rig: Rig) -> None:
    rig.run(rig.new_job(intent=Intent.NOT_TARGETED))
    message = _state(rig).compliance.original()
    assert (message["TargetingMethod"], message["TargetType"], message["ComplianceState"]) == (1, 0, 1)
    assert _state(rig).enforcement.original()["TargetingMethod"] == 1


@pytest.mark.behaviour("B-60", "2.6 EnforcementStateMessage")
def test_an_error_code_is_signed_where_the_originals_tools_read_it(rig: Rig) -> None:
    (rig.target / "fail").write_text("73", encoding="utf-8")
    rig.run(rig.new_job())
    message = json.loads(json.dumps(_state(rig).enforcement.original()))
    assert message == {"EnforcementState": 5000, "ErrorCode": 0x80070049 - (1 << 32), "TargetingMethod": 0}


@pytest.mark.behaviour("B-58", "2.6 GRS")
def test_a_failed_attempt_is_kept_with_the_end_of_its_grs_wait(rig: Rig) -> None:
    (rig.target / "fail").write_text("73", encoding="utf-8")
    rig.run(rig.new_job())
    state = _state(rig)
    assert state.last_failed_enforcement == START
    assert state.grs_expires_at == START + timedelta(days=1)
    (rig.target / "fail").unlink()
    rig.clock.advance(timedelta(days=1))
    rig.run(rig.new_job())
    assert _state(rig).grs_expires_at is None


def test_when_the_download_began_is_kept(rig: Rig) -> None:
    rig.run(rig.new_job(), until=Phase.REQUIREMENTS)
    assert rig.device.ledger.apps.state("editor") is None
    rig.run(rig.new_job())
    assert _state(rig).download_started_at == START
    rig.run(rig.new_job())
    assert _state(rig).download_started_at is None, "the app was there already: nothing was fetched"


@pytest.mark.behaviour("2.6 GRS")
def test_another_revision_or_intent_is_not_held_by_an_older_ones_grs(rig: Rig) -> None:
    rig.run(rig.new_job())
    state = _state(rig)
    assert len(state.grs_hash) == 44
    assert state.model_copy(update={"revision": 2}).grs_hash != state.grs_hash
    assert state.model_copy(update={"intent": Intent.UNINSTALL}).grs_hash != state.grs_hash
    assert state.model_copy(update={"attempt": 9}).grs_hash == state.grs_hash


def test_every_state_is_mirrored_once_the_ledger_has_it_and_again_at_start(rig: Rig) -> None:
    rig.run(rig.new_job())
    state, path, mirror = _state(rig), rig.device.folders.ledger, RecordingMirror()
    ledger = Ledger(path, mirror)
    ledger.apps.set_state(state.model_copy(update={"attempt": 2}))
    assert [shown.attempt for shown in mirror.shown] == [2]
    ledger.apps.show_all()
    assert mirror.shown[1:] == ledger.apps.states()
    ledger.close()
