"""Metrics of the shards for Prometheus; a site with one broker has none of them."""

from collections.abc import Collection, Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import select
from sqlalchemy.orm import Session

from control.database.tables import Device, Job, OutboxEntry
from control.shards.counts import shard_counts
from control.shards.placement import is_at


def shard_metrics(session: Session, shards: Collection[str], now: datetime) -> Iterator[Metric]:
    """Where devices are, how many are on their way, and how long what is due has been waiting for each shard."""
    if len(shards) > 1:
        yield _devices(session, shards)
        yield _age(session, shards, now)


def _devices(session: Session, shards: Collection[str]) -> Metric:
    help_text = "Enrolled devices by shard: there, told to go there, gone from there within the last minute."
    devices = GaugeMetricFamily("outrider_shard_devices", help_text, labels=["shard", "standing"])
    for count in shard_counts(session, shards):
        for standing in ("here", "coming", "left"):
            devices.add_metric([count.shard, standing], getattr(count, standing))
    return devices


def _age(session: Session, shards: Collection[str], now: datetime) -> Metric:
    help_text = "How long the oldest job that is due at a shard has been waiting to be sent."
    ages = GaugeMetricFamily("outrider_shard_outbox_age_seconds", help_text, labels=["shard"])
    for shard in shards:
        of_shard = select(Job.id).join(Device).where(Job.id == OutboxEntry.job_id, is_at(shard, shards)).exists()
        oldest = select(OutboxEntry.created_at).where(OutboxEntry.sent_at.is_(None), of_shard)
        since = session.scalar(oldest.order_by(OutboxEntry.created_at).limit(1))
        ages.add_metric([shard], 0.0 if since is None else max(0.0, (now - since).total_seconds()))
    return ages
