"""Metrics of the fleet for Prometheus: counted by the database, at most once in a while however often it is scraped."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session
from structlog import get_logger

from contract.errors import UnavailableError
from contract.jobs import JobState
from control.counters import REFUSED_MESSAGES
from control.database.tables import CounterRow, Device, OutboxEntry
from control.fleet.broker_users import BrokerUsers
from control.rollouts.metrics import rollout_metrics
from control.services import Services
from control.shards.metrics import shard_metrics
from control.tallies.standings import standings

_log = get_logger(__name__)

#: Figures are counted anew once they are so old; each takes one walk along an index.
FRESH: Final = timedelta(seconds=15)


class FleetCollector(Collector):
    """The fleet's figures as metrics."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = Lock()
        self._counted_at = float("-inf")
        self._metrics: list[Metric] = []

    def describe(self) -> list[Metric]:
        """Nothing: to describe them is to count them."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures, as old as `FRESH` at most.

        Raises:
            UnavailableError: The database does not answer.
        """
        services = self._services
        with self._lock:
            if services.clock.monotonic() - self._counted_at >= FRESH.total_seconds():
                with services.database.snapshot() as session:
                    counted = list(_counted(session, services.clock.now(), services.settings.online_window))
                    counted += shard_metrics(session, services.enrollment.shards, services.clock.now())
                self._metrics = [*counted, _refused_by_brokers(services.brokers.users)]
                self._counted_at = services.clock.monotonic()
            yield from self._metrics


def _counted(session: Session, now: datetime, online_window: timedelta) -> Iterator[Metric]:
    yield _jobs(session)
    yield _devices(session, now - online_window)
    yield from _outbox(session, now)
    yield _reconciled(session)
    yield _refused_messages(session)
    yield from rollout_metrics(session, now - online_window)


def _jobs(session: Session) -> Metric:
    help_text = "The newest jobs of all devices and apps by state, those that are over included."
    jobs = GaugeMetricFamily("outrider_jobs", help_text, labels=["state"])
    tallies = standings()
    number = cast(func.sum(tallies.c.jobs), BigInteger)
    found: dict[JobState, int] = dict(session.execute(select(tallies.c.state, number).group_by(tallies.c.state)).all())
    for state in JobState:
        jobs.add_metric([state.value], found.get(state, 0))
    return jobs


def _devices(session: Session, online_since: datetime) -> Metric:
    devices = GaugeMetricFamily("outrider_devices", "Enrolled devices, by whether they are online.", labels=["online"])
    enrolled = Device.retired_at.is_(None)
    count = select(func.count()).select_from(Device).where(enrolled)
    online = session.scalar(count.where(Device.last_seen_at >= online_since)) or 0
    devices.add_metric(["yes"], online)
    devices.add_metric(["no"], (session.scalar(count) or 0) - online)
    return devices


def _outbox(session: Session, now: datetime) -> Iterator[Metric]:
    unsent = select(func.count(), func.min(OutboxEntry.created_at)).where(OutboxEntry.sent_at.is_(None))
    waiting, oldest = session.execute(unsent).one()
    yield GaugeMetricFamily("outrider_outbox_jobs", "Jobs that are due and not sent yet.", waiting)
    age = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    yield GaugeMetricFamily("outrider_outbox_age_seconds", "How long the oldest of them has been due.", age)


def _reconciled(session: Session) -> Metric:
    done = CounterMetricFamily(
        "outrider_reconciled_jobs", "Jobs that the reconciler had to deal with.", labels=["what"]
    )
    for row in session.scalars(select(CounterRow).order_by(CounterRow.name)):
        if row.name != REFUSED_MESSAGES:
            done.add_metric([row.name], row.value)
    return done


def _refused_messages(session: Session) -> Metric:
    row = session.get(CounterRow, REFUSED_MESSAGES)
    help_text = "Messages in the control plane's own queue that workers dropped as no request of theirs."
    return CounterMetricFamily("outrider_refused_control_messages", help_text, 0 if row is None else row.value)


def _refused_by_brokers(brokers: Mapping[str, BrokerUsers]) -> Metric:
    """What their rules refused; nothing of one that does not answer."""
    help_text = "What a broker refused since it started: a password, a command, a key, a channel."
    metric = CounterMetricFamily("outrider_refused_by_broker", help_text, labels=["shard", "what"])
    for shard, broker in brokers.items():
        try:
            refused = broker.refused()
        except UnavailableError as error:
            _log.warning("a broker does not say what it refused", shard=shard, error=str(error))
            continue
        for what, count in sorted(refused.items()):
            metric.add_metric([shard, what], count)
    return metric
