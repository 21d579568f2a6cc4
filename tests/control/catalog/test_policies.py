"""Policies: what devices get of a manifest."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from contract.envelopes import SignedEnvelope
from contract.errors import InputError
from contract.policy import FailureClass, Policy, RestartSettings, RetrySchedule
from contract.rules import FileRule
from contract.states import DeviceRestartBehavior, Intent, ReturnCodeType
from control.catalog.manifest_entries import RestartSettingsEntry
from control.catalog.manifest_reader import validate_manifest
from control.catalog.policies import Order, limits_of, requirements_of, restart_of, return_codes_of
from control.catalog.revisions import newest_revision
from control.database.tables import PolicyRow
from tests.control.plane import Plane, manifest_data


def current(plane: Plane, intent: Intent = Intent.REQUIRED) -> PolicyRow:
    with plane.services.database.transaction() as session:
        revision = newest_revision(session, plane.app_id())
        assert revision is not None
        return plane.services.policies.current(session, Order(revision, intent), plane.clock.now())


def read(row: PolicyRow) -> Policy:
    return Policy.from_json(SignedEnvelope.from_json(row.envelope).payload)


def test_minutes_and_hours_become_seconds() -> None:
    manifest = validate_manifest(
        manifest_data(
            attempts=5, retryIntervalInMinutes=0.5, grsInHours=0.25, installExperience={"maxRunTimeInMinutes": 2}
        )
    )
    limits = limits_of(manifest)
    assert (limits.attempts, limits.retry_interval_seconds, limits.grs_seconds) == (5, 30, 900)
    assert limits.max_run_time_seconds == 120


def test_a_class_of_failure_gets_the_schedule_the_manifest_gives_it() -> None:
    manifest = validate_manifest(manifest_data(retry=[{"failure": "content", "longestWaitInHours": 1}]))
    schedule = RetrySchedule(first_wait_seconds=300, growth=2, longest_wait_seconds=3600)
    assert limits_of(manifest).schedules == {FailureClass.CONTENT: schedule}


def test_a_class_of_failure_has_one_schedule() -> None:
    with pytest.raises(InputError, match=r"retry.*failure"):
        validate_manifest(manifest_data(retry=[{"failure": "content"}, {"failure": "content"}]))


def test_the_original_limits_hold_where_nothing_is_said() -> None:
    limits = limits_of(validate_manifest(manifest_data()))
    assert (limits.attempts, limits.retry_interval_seconds, limits.grs_seconds) == (3, 300, 86_400)


def test_own_return_codes_are_added_and_win() -> None:
    manifest = validate_manifest(
        manifest_data(returnCodes=[{"returnCode": 7, "type": "retry"}, {"returnCode": 1707, "type": "failed"}])
    )
    types = {code.return_code: code.type for code in return_codes_of(manifest.return_codes)}
    assert types[0] is ReturnCodeType.SUCCESS
    assert types[7] is ReturnCodeType.RETRY
    assert types[1707] is ReturnCodeType.FAILED


def test_requirements_are_taken_over() -> None:
    manifest = validate_manifest(
        manifest_data(
            applicableArchitectures=["arm64"],
            operatingSystems=["linux"],
            minimumMemoryInMB=5,
            requirementRules=[{"type": "file", "path": "/", "fileOrFolderName": "etc"}],
        )
    )
    requirements = requirements_of(manifest)
    assert requirements.architectures == {"arm64"}
    assert requirements.operating_systems == {"linux"}
    assert requirements.minimum_memory_in_mb == 5
    assert isinstance(requirements.rules[0], FileRule)


@pytest.mark.parametrize("intent", [Intent.REQUIRED, Intent.UNINSTALL, Intent.AVAILABLE])
def test_a_policy_is_for_one_intent(plane: Plane, intent: Intent) -> None:
    plane.publish(installExperience={"deviceRestartBehavior": "force"})
    policy = read(current(plane, intent))
    assert policy.intent is intent
    assert policy.commands.uninstall == "sh uninstall.sh"
    assert policy.install_experience.device_restart_behavior is DeviceRestartBehavior.FORCE
    assert policy.expires_at == policy.issued_at + timedelta(days=30)


def test_no_policy_holds_the_content_key(plane: Plane) -> None:
    plane.publish()
    policy = read(current(plane))
    assert "encryption_key" not in policy.content.model_dump()
    assert len(policy.content.mac_key) == 32


def test_a_policy_stays_the_same_until_half_its_life_is_over(plane: Plane) -> None:
    plane.publish()
    first = current(plane)
    plane.clock.advance(timedelta(days=14))
    assert current(plane).digest == first.digest
    plane.clock.advance(timedelta(days=2))
    renewed = current(plane)
    assert renewed.digest != first.digest
    assert renewed.expires_at == plane.clock.now() + timedelta(days=30)


@pytest.mark.behaviour("2.10 restart grace", "2.5 NotificationLevel")
def test_restart_settings_and_notifications_reach_the_device_in_seconds_and_numbers() -> None:
    entry = RestartSettingsEntry(
        grace_period_in_minutes=60,
        countdown_display_before_restart_in_minutes=5,
        restart_notification_snooze_duration_in_minutes=10,
    )
    assert restart_of(entry) == RestartSettings(grace_period_seconds=3600, countdown_seconds=300, snooze_seconds=600)
    assert restart_of(RestartSettingsEntry()) == RestartSettings()


def test_two_weeks_are_the_longest_grace_period() -> None:
    with pytest.raises(ValidationError):
        RestartSettingsEntry(grace_period_in_minutes=14 * 1440 + 1)
