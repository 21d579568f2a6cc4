"""What every process that runs a Celery program of ours does first."""

import warnings

from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_ready
from structlog import get_logger

_log = get_logger(__name__)


def prepare_celery_process() -> None:
    """Keep Celery from changing the program's own logging and from warning of root, and log when a worker is ready.

    Celery warns of root for fear of pickle; only JSON is read here.
    """
    warnings.simplefilter("ignore", SecurityWarning)
    setup_logging.connect(_leave_logging_alone)
    worker_ready.connect(_say_ready)


def _leave_logging_alone(**_: object) -> None:
    """With a receiver for it, Celery sets no logging up."""


def _say_ready(**_: object) -> None:
    _log.info("messages are taken from now on: ready.")
