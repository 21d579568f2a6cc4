"""Run on Windows only: states of apps as tools find them in the registry."""

import sys

assert sys.platform == "win32"

import json
import uuid
import winreg
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.states import (
    Applicability,
    ComplianceState,
    DesiredState,
    DetectionState,
    EnforcementState,
    Intent,
    Outcome,
)
from worker.app_state import AppState, ComplianceStateMessage, EnforcementStateMessage
from worker.platform.windows_mirror import APPS_KEY, GRS_KEY, RegistryMirror

NOW = datetime(2026, 3, 1, 13, 30, tzinfo=UTC)


@pytest.fixture
def app_id() -> str:
    return str(uuid.uuid4())


def state(app_id: str, **changes: Any) -> AppState:
    failed = AppState(
        app_id=app_id,
        app_name="Editor",
        revision=1,
        intent=Intent.REQUIRED,
        job_id=str(uuid.uuid4()),
        generation=1,
        attempt=3,
        outcome=Outcome.FAILED,
        detection_state=DetectionState.NOT_DETECTED,
        compliance=ComplianceStateMessage(
            applicability=Applicability.APPLICABLE,
            compliance_state=ComplianceState.ERROR,
            desired_state=DesiredState.PRESENT,
            error_code=0x80070643,
        ),
        enforcement=EnforcementStateMessage(enforcement_state=EnforcementState.ERROR, error_code=0x80070643),
        raw_exit_code=1603,
        last_failed_enforcement=NOW,
        updated_at=NOW,
    )
    return failed.model_copy(update=changes)


def values(path: str) -> dict[str, Any]:
    try:
        with winreg.OpenKeyEx(winreg.HKEY_LOCAL_MACHINE, path) as key:
            return {(value := winreg.EnumValue(key, i))[0]: value[1] for i in range(winreg.QueryInfoKey(key)[1])}
    except FileNotFoundError:
        return {}


@pytest.mark.behaviour("B-59", "2.6 ComplianceStateMessage", "2.6 EnforcementStateMessage")
def test_a_state_stands_in_the_registry_as_tools_know_it(app_id: str) -> None:
    RegistryMirror().put(state(app_id))
    own = f"{APPS_KEY}\\{app_id}_1"
    assert values(own) == {"ExitCode": 1603, "Intent": 3, "LastUpdatedTimeUtc": "03/01/2026 13:30:00"}
    compliance = json.loads(values(f"{own}\\ComplianceStateMessage")["ComplianceStateMessage"])
    assert (compliance["ComplianceState"], compliance["DesiredState"]) == (4, 2)
    assert compliance["ErrorCode"] == 0x80070643 - (1 << 32)
    enforcement = json.loads(values(f"{own}\\EnforcementStateMessage")["EnforcementStateMessage"])
    assert (enforcement["EnforcementState"], enforcement["ErrorCode"]) == (5000, 0x80070643 - (1 << 32))


@pytest.mark.behaviour("2.6 GRS")
def test_the_wait_after_failures_is_there_as_long_as_it_is_on(app_id: str) -> None:
    failed = state(app_id)
    RegistryMirror().put(failed)
    assert values(f"{GRS_KEY}\\{failed.grs_hash}") == {app_id: "03/01/2026 13:30:00"}
    RegistryMirror().put(failed.model_copy(update={"last_failed_enforcement": None}))
    assert values(f"{GRS_KEY}\\{failed.grs_hash}") == {}


def test_a_new_revision_takes_the_place_of_the_old_one(app_id: str) -> None:
    old, new = state(app_id), state(app_id, revision=2)
    RegistryMirror().put(old)
    RegistryMirror().put(new)
    assert values(f"{APPS_KEY}\\{app_id}_1") == {}
    assert values(f"{GRS_KEY}\\{old.grs_hash}") == {}
    assert values(f"{APPS_KEY}\\{app_id}_2")
    assert values(f"{GRS_KEY}\\{new.grs_hash}")


def test_an_exit_code_of_all_32_bits_is_kept_and_one_that_is_gone_goes(app_id: str) -> None:
    RegistryMirror().put(state(app_id, raw_exit_code=0xC0000142))
    assert values(f"{APPS_KEY}\\{app_id}_1")["ExitCode"] == 0xC0000142
    RegistryMirror().put(state(app_id, raw_exit_code=None))
    assert "ExitCode" not in values(f"{APPS_KEY}\\{app_id}_1")
