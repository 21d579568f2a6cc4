from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.maintenance import Weekday
from contract.policy import DeliverySettings
from contract.states import Intent
from control.catalog.assignment_entries import AssignmentEntry, MaintenanceWindowEntry, TermsFields
from control.catalog.delivery_words import fields_of, intent_of, terms_of, word_of
from control.catalog.manifest_entries import RestartSettingsEntry
from control.catalog.terms import Terms, check_terms
from control.targeting import Mode, TimeBasis

EIGHT = datetime(2026, 3, 1, 8, tzinfo=UTC)
NINE = EIGHT + timedelta(hours=1)

_moments = st.datetimes(datetime(2001, 1, 1), datetime(2998, 12, 31))  # noqa: DTZ001  a wall clock's
_minutes = st.floats(0.1, 200).map(lambda minutes: round(minutes, 3))
_windows = st.builds(
    lambda days, minutes: MaintenanceWindowEntry(days=days, start="22:00", duration_in_minutes=minutes),
    days=st.lists(st.sampled_from(Weekday), min_size=1, max_size=7, unique=True).map(
        lambda days: tuple(day for day in Weekday if day in days)
    ),
    minutes=st.integers(1, 600),
)


def _restart(minutes: tuple[float, float, float]) -> RestartSettingsEntry:
    grace, countdown, snooze = minutes
    return RestartSettingsEntry(
        grace_period_in_minutes=grace,
        countdown_display_before_restart_in_minutes=countdown,
        restart_notification_snooze_duration_in_minutes=snooze,
    )


@st.composite
def _fields(draw: st.DrawFn) -> TermsFields:
    basis = draw(st.sampled_from(TimeBasis))
    moments = st.none() | (_moments if basis is TimeBasis.LOCAL else _moments.map(lambda at: at.replace(tzinfo=UTC)))
    filter_name = draw(st.none() | st.just("strong"))
    restart = st.tuples(_minutes, _minutes, _minutes).map(_restart)
    return TermsFields(
        filter=filter_name,
        filter_mode=draw(st.sampled_from(Mode)) if filter_name else None,
        start=draw(moments),
        deadline=draw(moments),
        time_basis=basis,
        notifications=draw(st.sampled_from([None, "showAll", "showReboot", "hideAll"])),
        restart_settings=draw(st.none() | restart),
        maintenance_windows=tuple(draw(st.lists(_windows, max_size=2))),
    )


@given(_fields())
def test_terms_say_in_words_what_they_were_made_of(fields: TermsFields) -> None:
    assert TermsFields(**fields_of(terms_of(fields))) == fields


@pytest.mark.parametrize("intent", [Intent.REQUIRED, Intent.AVAILABLE, Intent.UNINSTALL])
def test_intents_and_their_words_belong_together(intent: Intent) -> None:
    assert intent_of(word_of(intent), Mode.INCLUDE) is intent


def test_what_is_not_said_is_required_or_nothing_where_the_group_is_excluded() -> None:
    assert intent_of(None, Mode.INCLUDE) is Intent.REQUIRED
    assert intent_of(None, Mode.EXCLUDE) is Intent.NOT_TARGETED
    assert word_of(Intent.NOT_TARGETED) is None


@pytest.mark.behaviour("2.8 exclusion")
@pytest.mark.parametrize(
    ("intent", "terms", "said"),
    [
        (Intent.REQUIRED, {"mode": Mode.EXCLUDE}, "an excluded group has no intent"),
        (Intent.NOT_TARGETED, {"mode": Mode.EXCLUDE, "filter": "a", "filter_mode": Mode.INCLUDE}, "has no filter"),
        (Intent.NOT_TARGETED, {"mode": Mode.EXCLUDE, "start_at": EIGHT}, "neither start nor deadline"),
        (Intent.NOT_TARGETED, {"mode": Mode.EXCLUDE, "settings": DeliverySettings(notifications=2)}, "no settings"),
        (Intent.REQUIRED, {"filter_mode": Mode.EXCLUDE}, "go together"),
        (Intent.REQUIRED, {"filter": "a"}, "go together"),
        (Intent.REQUIRED, {"start_at": NINE, "deadline_at": EIGHT}, "is not after the start"),
        (Intent.REQUIRED, {"start_at": EIGHT, "deadline_at": EIGHT}, "is not after the start"),
        (Intent.AVAILABLE, {"deadline_at": EIGHT}, "an available app has no deadline"),
        (Intent.REQUIRED, {"time_basis": TimeBasis.LOCAL}, "says nothing without"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_reason(intent: Intent, terms: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        check_terms(intent, Terms(**terms))
    assert caught.value.code is ErrorCode.ASSIGNMENT_IMPOSSIBLE
    assert said in caught.value.detail


@pytest.mark.parametrize("intent", [Intent.REQUIRED, Intent.UNINSTALL])
def test_a_start_before_a_deadline_is_fine(intent: Intent) -> None:
    check_terms(intent, Terms(start_at=EIGHT, deadline_at=NINE, time_basis=TimeBasis.LOCAL))


def test_times_are_kept_in_utc_and_local_ones_as_they_read() -> None:
    berlin = timezone(timedelta(hours=1))
    utc = terms_of(AssignmentEntry(group="desks", start=datetime(2026, 3, 1, 9, tzinfo=berlin)))
    assert utc.start_at == EIGHT
    local = terms_of(AssignmentEntry.model_validate({"group": "d", "start": "2026-03-01T08:00", "timeBasis": "local"}))
    assert local.start_at == EIGHT
    assert fields_of(local)["start"] == EIGHT.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("start", "basis", "said"),
    [
        ("2026-03-01T08:00+01:00", "local", "expected no time zone"),
        ("0001-01-01T00:00+14:00", "utc", "expected a year from 2000"),
        ("9999-12-31T23:59-14:00", "utc", "expected a year from 2000"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(start: str, basis: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        terms_of(TermsFields.model_validate({"start": start, "time_basis": basis}))
    assert (caught.value.code, caught.value.place) == (ErrorCode.TIME_INVALID, "start")
    assert said in caught.value.detail
