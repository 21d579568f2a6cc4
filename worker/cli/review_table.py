"""A review of rules as people read it."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from contract.errors import PhaseError
from contract.printable import printable
from worker.judgement.review import Answer, Conclusion, Review, Reviewed

_WORDS = {
    Answer.HOLDS: ("holds", "green"),
    Answer.DOES_NOT_HOLD: ("does not hold", "yellow"),
    Answer.UNANSWERABLE: ("not answerable here", "yellow"),
    Answer.FAILED: ("failed", "red"),
    Answer.SKIPPED: ("skipped", "dim"),
}

_SENTENCES = {
    Conclusion.DETECTED: "Detected: all detection rules hold. An install would have nothing to do.",
    Conclusion.NOT_DETECTED: "Not detected, and all requirements are met: an install would start.",
    Conclusion.NOT_APPLICABLE: "Not applicable: a rule cannot be answered here, or a requirement is not met.",
    Conclusion.FAILED: "A rule could not be evaluated: that never counts as not detected.",
    Conclusion.UNDECIDED: "Undecided: it depends on scripts that were not run.",
}


def print_review(app_name: str, review: Review) -> None:
    """Print a table of the rules, hints about those that failed, and what all of them say together."""
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(_table(app_name, review))
    for one in review.detection + review.requirements:
        if one.error is not None:
            console.print(_explained(one.error), soft_wrap=True)
    console.print(_SENTENCES[review.conclusion], soft_wrap=True)


def _table(app_name: str, review: Review) -> Table:
    table = Table(title=printable(app_name) or None)
    for heading in ("rule", "looked at", "found", "expected", "answer"):
        # What was compared is the point: it is folded, never cut.
        table.add_column(heading, overflow="fold")
    for one in (*review.detection, *review.requirements):
        table.add_row(*_cells(one), _answer(one))
    return table


def _cells(one: Reviewed) -> tuple[str, str, str, str]:
    if one.verdict is None:
        # Why a rule failed stands below the table.
        return one.rule, "", "" if one.error else printable(one.reason), ""
    return one.rule, printable(one.verdict.subject), printable(one.verdict.found), printable(one.verdict.expected)


def _explained(error: PhaseError) -> str:
    return f"{error.place}: {printable(error.detail)}. {error.code.sentence} Hint: {error.code.hint}"


def _answer(one: Reviewed) -> Text:
    word, style = _WORDS[one.answer]
    return Text(word if one.number is None else f"{word} ({one.number.value})", style=style)
