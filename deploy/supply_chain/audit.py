"""`make audit`: nothing but what was locked, everything locked by its hash, and what is known against it.

Exit status: 0 all is well; 1 something was found; 3 nothing was found, but the vulnerability service did not say
something of everything, so that nothing is proven.
"""

import sys
from collections.abc import Sequence
from enum import IntEnum

import typer

from deploy.supply_chain.installed import installed, strangers
from deploy.supply_chain.lock_file import BENCH_LOCK, GRAPH_LOCK, LOCK, Finding, read_lock
from deploy.supply_chain.vulnerabilities import Answer, ask


class Verdict(IntEnum):
    """How an audit ends."""

    CLEAN = 0
    FOUND = 1
    UNPROVEN = 3


def verdict(findings: Sequence[Finding], answer: Answer) -> Verdict:
    """What the findings and the service's answer come to."""
    if findings or answer.known:
        return Verdict.FOUND
    return Verdict.UNPROVEN if answer.unasked else Verdict.CLEAN


def main() -> Verdict:
    """Audit this environment and its lock files."""
    locked, findings = read_lock(LOCK)
    more, of_graph = read_lock(GRAPH_LOCK)
    apart, of_bench = read_lock(BENCH_LOCK)
    findings += of_graph + of_bench
    locks = ((locked, LOCK), (more, GRAPH_LOCK), (apart, BENCH_LOCK))
    counts = ", ".join(f"{len(requirements)} requirements in {lock.name}" for requirements, lock in locks)
    _say(counts, findings, "pinned, hashed")
    foreign = list(strangers(installed(), [*locked, *more]))
    _say(f"{len(installed())} distributions installed", foreign, "as locked")
    answer = ask(LOCK, locked)
    asked = len({each.name for each in locked}) - len(answer.unasked)
    if asked:
        _say(f"{asked} answered by the vulnerability service", answer.known, "nothing known against these")
    if answer.unasked:
        typer.echo(
            f"NOT AUDITED: {len(answer.unasked)} requirements. The service said nothing of them: {answer.reason}"
        )
        typer.echo("Nothing is proven about these. Run `make audit` where the service can be reached.")
    return verdict([*findings, *foreign], answer)


def _say(what: str, findings: Sequence[Finding], otherwise: str) -> None:
    typer.echo(f"{what}: {f'{len(findings)} findings' if findings else otherwise}")
    for finding in findings:
        typer.echo(f"  {finding.place}: {finding.words}")


if __name__ == "__main__":
    sys.exit(main())
