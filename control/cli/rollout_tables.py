"""Rollouts as tables."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from contract.printable import printable
from control.cli.tables import plain_table
from control.cli.words import duration_word, size_word, time_word
from control.rollouts.counts import SETTLED, Standing
from control.rollouts.states import RolloutState
from control.views.rollouts import (
    RingView,
    RolloutDetail,
    RolloutDeviceView,
    RolloutEventView,
    RolloutForecast,
    RolloutView,
)

_BAR_WIDTH: Final = 24
#: Devices of a ring that a forecast names.
_NAMED: Final = 3

_STATE_STYLES: Final = {
    RolloutState.DRAFT: "dim",
    RolloutState.RUNNING: "bold cyan",
    RolloutState.PAUSED: "yellow",
    RolloutState.HALTED: "bold red",
    RolloutState.ROLLING_BACK: "yellow",
    RolloutState.FINISHED: "green",
    RolloutState.ROLLED_BACK: "yellow",
    RolloutState.CANCELLED: "dim",
}


def rollout_table(rollouts: Sequence[RolloutView]) -> Table:
    """Rollouts."""
    table = plain_table("name", "app", "revision", "state", "since", "why")
    for one in rollouts:
        state = Text(one.state, style=_STATE_STYLES[one.state])
        since = time_word(one.changed_at)
        table.add_row(printable(one.name), printable(one.app), _revisions(one), state, since, printable(one.reason))
    return table


def rollout_view(rollout: RolloutDetail) -> RenderableType:
    """One rollout: its rings with what came of them so far, and what happens next."""
    head = Text.assemble(
        (printable(rollout.name), "bold"),
        f"  {printable(rollout.app)} {_revisions(rollout)}  ",
        (rollout.state, _STATE_STYLES[rollout.state]),
    )
    lines: list[RenderableType] = [head]
    if rollout.reason:
        lines.append(Text(printable(rollout.reason), style="dim"))
    lines += [Text(), _ring_table(rollout.rings), Text(), Text(f"next: {printable(rollout.next_action)}")]
    if rollout.possible:
        lines.append(Text(f"possible: {', '.join(rollout.possible)}", style="dim"))
    return Group(*lines)


def forecast_view(forecast: RolloutForecast) -> RenderableType:
    """What a rollout would do."""
    table = plain_table("ring", "devices", "online", "fetches", "takes", "such as")
    for ring in forecast.rings:
        took = "unknown" if ring.seconds is None else duration_word(ring.seconds)
        names = printable(", ".join(ring.some_devices[:_NAMED])) + (", ..." if ring.devices > _NAMED else "")
        table.add_row(printable(ring.name), str(ring.devices), str(ring.online), size_word(ring.bytes), took, names)
    lines: list[RenderableType] = [Text(_sum_of(forecast), style="bold"), Text(), table]
    if forecast.unsuited:
        lines += [Text(), Text(f"not applicable on {forecast.not_applicable} devices:")]
        lines += [Text(f"  {printable(one.device)}: {printable(one.words)}", style="dim") for one in forecast.unsuited]
    lines += [Text(f"note: {printable(warning)}", style="yellow") for warning in forecast.warnings]
    return Group(*lines)


def rollout_device_table(devices: Iterable[RolloutDeviceView]) -> Table:
    """The devices of a rollout."""
    table = plain_table("device", "ring", "standing", "admitted", "error")
    for one in devices:
        admitted = time_word(one.admitted_at)
        table.add_row(printable(one.device), printable(one.ring), one.standing, admitted, one.error_code or "")
    return table


def rollout_event_table(events: Iterable[RolloutEventView]) -> Table:
    """What happened to a rollout."""
    table = plain_table("when", "what", "by", "")
    for one in events:
        table.add_row(time_word(one.at), one.what, printable(one.actor), printable(one.detail))
    return table


def _ring_table(rings: Iterable[RingView]) -> Table:
    table = plain_table("ring", "devices", "", "as wanted", "failed", "at work", "held", "offline", "gates")
    for ring in rings:
        table.add_row(
            printable(ring.name),
            str(ring.devices),
            _bar(ring),
            _number(ring, Standing.SUCCEEDED),
            _number(ring, Standing.FAILED, Standing.RETRYING),
            _number(ring, Standing.AT_WORK),
            _number(ring, Standing.HELD),
            _number(ring, Standing.ABSENT),
            _gates(ring),
        )
    return table


def _bar(ring: RingView) -> ProgressBar:
    settled = sum(number for standing, number in ring.standings.items() if standing in SETTLED)
    style = "red" if ring.failure.holds else "green"
    return ProgressBar(total=max(ring.devices, 1), completed=settled, width=_BAR_WIDTH, complete_style=style)


def _number(ring: RingView, *standings: Standing) -> str:
    return str(sum(ring.standings.get(standing, 0) for standing in standings))


def _gates(ring: RingView) -> Text:
    if ring.failure.holds:
        return Text(ring.failure.words, style="red")
    if ring.passed_at is not None:
        return Text(f"passed {time_word(ring.passed_at)}", style="green")
    if ring.opened_at is None:
        return Text("not opened", style="dim")
    if ring.soaks_until is not None and ring.success.holds:
        return Text(f"soaks until {time_word(ring.soaks_until)}", style="cyan")
    return Text(ring.success.words)


def _revisions(rollout: RolloutView) -> str:
    before = "" if rollout.baseline is None else f"r{rollout.baseline} -> "
    return f"{before}r{rollout.revision}"


def _sum_of(forecast: RolloutForecast) -> str:
    took = "" if forecast.seconds is None else f", at least {duration_word(forecast.seconds)}"
    what = f"{printable(forecast.app)} r{forecast.revision}"
    return f"{what}: {forecast.devices} devices, {size_word(forecast.bytes)}{took}"
