"""What `outrider-agent check` does: the rules of a policy on this machine, and how they are shown."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from contract.exit_statuses import ExitStatus
from worker.cli.policy_file import JudgedPolicy, read_policy_file
from worker.cli.review_table import print_review
from worker.installation.user_context import why_unsupported
from worker.judgement.applicability import Candidate
from worker.judgement.machine import Machine
from worker.judgement.review import Conclusion, Review, Reviewed, Reviewer
from worker.logs.quiet import log_warnings_only
from worker.platform.select import this_platform
from worker.processes.environment import Environment
from worker.settings import AgentSettings

_STATUSES = {
    Conclusion.DETECTED: ExitStatus.OK,
    Conclusion.FAILED: ExitStatus.FAILED,
    Conclusion.NOT_DETECTED: ExitStatus.NOT_DETECTED,
    Conclusion.NOT_APPLICABLE: ExitStatus.NOT_APPLICABLE,
    Conclusion.UNDECIDED: ExitStatus.UNDECIDED,
}


def check_policy(path: Path, settings: AgentSettings, *, runs_scripts: bool, as_json: bool) -> ExitStatus:
    """Evaluate and show the rules; the status is the command's.

    Raises:
        InputError: The file is no policy.
    """
    log_warnings_only()
    judged = read_policy_file(path)
    review = _review(judged, settings, runs_scripts=runs_scripts)
    if as_json:
        typer.echo(json.dumps(_facts(judged, review), ensure_ascii=False))
    else:
        print_review(judged.app_name, review)
    return _STATUSES[review.conclusion]


def _review(judged: JudgedPolicy, settings: AgentSettings, *, runs_scripts: bool) -> Review:
    platform = this_platform(_nearest(settings.state_dir))
    candidate = Candidate(platform.facts(), platform.cpu_speed_in_mhz(), why_unsupported())
    with _script_folder(needed=runs_scripts) as folder:
        machine = Machine(platform, folder, Environment(settings.pass_environment))
        reviewer = Reviewer(machine, candidate, runs_scripts=runs_scripts)
        return reviewer.review(judged.detection_rules, judged.requirements, judged.account)


@contextmanager
def _script_folder(*, needed: bool) -> Iterator[Path]:
    """A folder of this command's own: the agent's belongs to another account, or is not there yet."""
    if not needed:
        yield Path()
        return
    with tempfile.TemporaryDirectory(prefix="outrider-check-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _nearest(folder: Path) -> Path:
    """The folder itself, or what is there of the way to it: it is on the same disk."""
    return next(path for path in (folder, *folder.parents) if _is_open_folder(path))


def _is_open_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        # Whoever runs this need not be allowed to see the agent's folder.
        return False


def _facts(judged: JudgedPolicy, review: Review) -> dict[str, Any]:
    return {
        "app_name": judged.app_name,
        "conclusion": review.conclusion,
        "detection": [_reviewed(one) for one in review.detection],
        "requirements": [_reviewed(one) for one in review.requirements],
    }


def _reviewed(one: Reviewed) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "rule": one.rule,
        "answer": one.answer,
        "subject": verdict.subject if verdict else None,
        "found": verdict.found if verdict else None,
        "expected": verdict.expected if verdict else None,
        "reason": one.reason or None,
        "applicability": one.number,
        "error": one.error.fields() if one.error else None,
    }
