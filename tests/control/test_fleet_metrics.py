"""What Prometheus is told of the fleet: right figures, counted at most every few seconds."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from contract.jobs import JobRef
from control.database.tables import Role
from control.fleet_metrics import FRESH
from control.work import count_refused_message
from tests.control.plane import Plane, SignedDevice, report_of

Headers = Callable[[Role], dict[str, str]]


@pytest.fixture
def viewer(client: httpx.Client, operator: Headers) -> httpx.Client:
    client.headers.update(operator(Role.VIEWER))
    return client


def scraped(viewer: httpx.Client) -> dict[tuple[str, ...], float]:
    """Each figure by its name and its labels' values."""
    families = text_string_to_metric_families(viewer.get("/metrics").text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_jobs_devices_and_the_outbox_are_counted(
    plane: Plane, viewer: httpx.Client, enrolled: Callable[..., SignedDevice]
) -> None:
    plane.publish()
    group = plane.group("desks")
    away = enrolled("away", group)
    plane.clock.advance(timedelta(hours=1))
    enrolled("here", group)
    plane.assign("desks")
    plane.plan()
    plane.clock.advance(timedelta(seconds=90))
    found = scraped(viewer)
    assert away
    assert (found["outrider_jobs", "planned"], found["outrider_jobs", "sent"]) == (2, 0)
    assert (found["outrider_devices", "yes"], found["outrider_devices", "no"]) == (1, 1)
    assert (found["outrider_outbox_jobs",], found["outrider_outbox_age_seconds",]) == (1, 90)


def test_what_the_broker_refused_is_told_while_it_answers(plane: Plane, viewer: httpx.Client) -> None:
    name = "outrider_refused_by_broker_total"
    found = scraped(viewer)
    assert (found[name, "first", "auth"], found[name, "first", "key"]) == (2, 3)
    plane.broker_users.down = True
    plane.clock.advance(FRESH)
    found = scraped(viewer)
    assert not [labels for labels in found if labels[0] == name]
    assert ("outrider_jobs", "planned") in found, "all else is told as ever"


def test_messages_that_workers_dropped_are_counted_apart_from_what_was_reconciled(
    plane: Plane, viewer: httpx.Client
) -> None:
    count_refused_message(plane.services)
    count_refused_message(plane.services)
    found = scraped(viewer)
    assert found["outrider_refused_control_messages_total",] == 2
    assert not [name for name in found if name[0] == "outrider_reconciled_jobs_total"]


def test_figures_are_counted_anew_only_after_a_while(
    plane: Plane, viewer: httpx.Client, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    assert scraped(viewer)["outrider_jobs", "sent"] == 1
    device.report(report_of(ref, device.device_id))
    statements: list[str] = []
    event.listen(plane.services.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert scraped(viewer)["outrider_jobs", "sent"] == 1
    assert not [statement for statement in statements if "count(" in statement]
    plane.clock.advance(FRESH)
    found = scraped(viewer)
    assert (found["outrider_jobs", "sent"], found["outrider_jobs", "finished"]) == (0, 1)


def test_the_reconcilers_work_is_counted_for_good(
    plane: Plane, viewer: httpx.Client, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, _ = sent
    device.stay_online(plane.clock, plane.services.settings.silence_limit * 4)
    plane.reconcile()
    assert scraped(viewer)["outrider_reconciled_jobs_total", "overdue"] == 1


@pytest.mark.behaviour("B-44")
def test_a_report_is_counted_once_however_often_it_comes(sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent

    def counted() -> tuple[float, ...]:
        names = (
            ("outrider_reports_total", {"outcome": "installed"}),
            ("outrider_phase_seconds_count", {"phase": "install", "outcome": "done"}),
            ("outrider_content_bytes_total", {"source": "store"}),
        )
        return tuple(REGISTRY.get_sample_value(name, labels) or 0.0 for name, labels in names)

    before = counted()
    for _ in range(3):
        assert device.report(report_of(ref, device.device_id)).status_code == 200
    assert [after - was for was, after in zip(before, counted(), strict=True)] == [1, 1, 1000]
