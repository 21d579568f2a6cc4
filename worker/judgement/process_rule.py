"""Process rules: whether a program runs (behaviour C-21)."""

from collections.abc import Iterable

from contract.rules import ProcessOperation, ProcessRule
from worker.judgement.verdict import CannotTellError, Verdict
from worker.platform.port import Platform

_PROGRAM_SUFFIX = ".exe"
_WORDS = {True: "running", False: "not running"}


def judge_process(rule: ProcessRule, platform: Platform) -> Verdict:
    """Look at the machine and answer the rule.

    Raises:
        CannotTellError: The system does not list its processes.
    """
    try:
        names = platform.process_names()
    except OSError as error:
        raise CannotTellError(f"process {rule.process_name}: {error.strerror or error}") from error
    return judge_process_names(rule, names)


def judge_process_names(rule: ProcessRule, names: Iterable[str]) -> Verdict:
    """Answer the rule from the names of what runs; a pure function."""
    runs = _plain(rule.process_name) in {_plain(name) for name in names}
    wanted = rule.operation_type is ProcessOperation.EXISTS
    return Verdict(runs is wanted, f"process {rule.process_name}", _WORDS[runs], _WORDS[wanted])


def _plain(name: str) -> str:
    return name.strip().casefold().removesuffix(_PROGRAM_SUFFIX)
