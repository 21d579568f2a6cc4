"""`outrider-control tallies`: whether the numbers that summaries are made of are right."""

from contextlib import closing
from typing import Annotated

import typer

from control.cli.output import handled
from control.database.session import Database
from control.settings import load_settings
from control.tallies.checking import WrongTally, recount, wrong_tallies


def tallies(
    repair: Annotated[bool, typer.Option("--repair", help="Count all jobs anew where anything is wrong.")] = False,
) -> None:
    """Compare the kept numbers of jobs with the jobs; end with 1 where they differ and were not put right."""
    with handled(), closing(Database.at(load_settings().database_url.get_secret_value())) as database:
        with database.transaction() as session:
            wrong = wrong_tallies(session)
        for one in wrong:
            typer.echo(_line(one))
        if wrong and repair:
            typer.echo(f"{recount(database)} jobs and members counted anew.")
        elif wrong:
            raise typer.Exit(1)
        else:
            typer.echo("The numbers are those of the jobs.")


def _line(one: WrongTally) -> str:
    of = "" if one.of is None else f"{one.of}, "
    return f"{of}app {one.app_id}, {one.place}: {one.tallied} instead of {one.jobs}"
