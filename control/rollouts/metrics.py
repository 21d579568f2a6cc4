"""Metrics of the rollouts that are under way: where they are, how their devices are doing, what their gates say."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import select
from sqlalchemy.orm import Session

from control.database.tables import Rollout
from control.rollouts.counts import Standing
from control.rollouts.gates import failure_gate, success_gate
from control.rollouts.lookup import course_of
from control.rollouts.results import load_counts
from control.rollouts.states import ACTIVE_STATES

_GATES: Final = ("success", "failure")


def rollout_metrics(session: Session, online_since: datetime) -> Iterator[Metric]:
    """The gauges; a rollout that is over has none any more."""
    states = GaugeMetricFamily("outrider_rollout_state", "1 for the state it is in.", labels=["rollout", "state"])
    devices = GaugeMetricFamily(
        "outrider_rollout_devices", "Devices by how they are doing.", labels=["rollout", "ring", "standing"]
    )
    gates = GaugeMetricFamily(
        "outrider_rollout_gate",
        "1 where the success gate is met, or the failure gate has tripped, else 0.",
        labels=["rollout", "ring", "gate"],
    )
    for rollout in session.scalars(
        select(Rollout).where(Rollout.state.in_(ACTIVE_STATES)).order_by(Rollout.created_at)
    ):
        states.add_metric([rollout.name, rollout.state.value], 1)
        course, counts = course_of(session, rollout), load_counts(session, rollout, online_since)
        for ring, progress, found in zip(course.spec.rings, course.rings, counts, strict=True):
            for standing in Standing:
                devices.add_metric([rollout.name, ring.name, standing.value], found.of(standing))
            verdicts = (
                success_gate(ring.success, found, progress.accepted_failures),
                failure_gate(ring.failure, found, progress.accepted_failures),
            )
            for gate, verdict in zip(_GATES, verdicts, strict=True):
                gates.add_metric([rollout.name, ring.name, gate], verdict.holds)
    yield from (states, devices, gates)
