"""Saying a step."""

import json
from typing import Any

import structlog

from worker.logs.redaction import Redactor
from worker.narration.steps import Step

_log = structlog.get_logger(__name__)


def narrate(step: Step, **facts: Any) -> None:
    """Log a step as one sentence, and its facts as fields beside it.

    Args:
        step: What happens.
        facts: Every name in the step's sentence, and nothing else; a mapping is said as JSON, without secrets.
    """
    told = {name: Redactor().value(fact) if isinstance(fact, dict) else fact for name, fact in facts.items()}
    words = {name: _said(fact) for name, fact in told.items()}
    _log.info(step.template.format(**words), step=step.number, part=step.part, **told)


def _said(fact: Any) -> Any:
    if fact is None:
        return "unknown"
    return json.dumps(fact, ensure_ascii=False) if isinstance(fact, dict) else fact
