"""`outrider wait`: for scripts that go on once something has come about."""

import time
from enum import StrEnum
from typing import Annotated, Final

import typer

from contract.exit_statuses import ExitStatus
from control.cli.connection import connect
from control.cli.following import summaries
from control.cli.job_options import App, Device, Group, Rollout, Target
from control.cli.options import Json, parse_duration
from control.cli.output import handled, print_json
from control.cli.printing import print_table
from control.cli.summary_view import summary_view
from control.views.job_selection import JobQuery
from control.views.status import JobSummary

wait_app = typer.Typer()

_STATUSES: Final = (
    "Exit status: 0 it has come about, 5 not in time, 6 it cannot come about any more, 1 the control plane failed, "
    "2 a name or value is wrong, 3 the control plane does not answer, 4 refused, 130 ended by Ctrl-C."
)


class Until(StrEnum):
    """What can be waited for."""

    #: Every device is as wanted, save those the app is not for.
    INSTALLED = "installed"
    #: Nothing is under way any more, whatever came of it.
    SETTLED = "settled"


class Verdict(StrEnum):
    """How waiting stands."""

    REACHED = "reached"
    IMPOSSIBLE = "impossible"
    OPEN = "open"


_EXITS: Final = {Verdict.REACHED: ExitStatus.OK, Verdict.IMPOSSIBLE: ExitStatus.ENDED_BADLY}


@wait_app.command("wait", epilog=_STATUSES)
def wait(
    target: Target = None,
    *,
    app: App = None,
    group: Group = None,
    device: Device = None,
    rollout: Rollout = None,
    until: Annotated[Until, typer.Option(help="What to wait for.")] = Until.INSTALLED,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="How long at most, such as 90s, 30m, 2h.")] = "30m",
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="End at the first job that has failed.")] = False,
    as_json: Json = False,
) -> None:
    """Wait until every device is as wanted, save those that the app is not for; print the numbers at the end.

    A job that has failed all its attempts counts as failed although it is tried again a day later; while others are
    under way it is waited for these. What has no jobs yet is waited for, too.

    Example: outrider wait Editor --until installed --timeout 30m
    """
    seconds = parse_duration(timeout).total_seconds()
    query = JobQuery(target=target, app=app, group=group, device=device, rollout=rollout)
    with handled(as_json=as_json), connect() as client:
        verdict = Verdict.OPEN
        for summary in summaries(client, query, deadline=time.monotonic() + seconds):
            verdict = judge(summary, until, fail_fast=fail_fast)
            if verdict is not Verdict.OPEN:
                break
        status = _EXITS.get(verdict, ExitStatus.TIMED_OUT)
        if as_json:
            print_json(
                {"verdict": "timed-out" if verdict is Verdict.OPEN else verdict, **summary.model_dump(mode="json")}
            )
        else:
            print_table(summary_view(summary))
        raise typer.Exit(status)


def judge(summary: JobSummary, until: Until, *, fail_fast: bool) -> Verdict:
    """Whether what is waited for has come about, or cannot any more."""
    gone_wrong = until is Until.INSTALLED and summary.failed + summary.cancelled > 0
    if gone_wrong and (fail_fast or summary.is_settled):
        return Verdict.IMPOSSIBLE
    return Verdict.REACHED if summary.jobs and summary.is_settled else Verdict.OPEN
