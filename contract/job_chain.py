"""A job as a Celery chain: one link a phase, ids only. Both ends of the broker send it."""

from celery import Celery, chain, signature

from contract.jobs import JobRef
from contract.phases import PHASES
from contract.queues import phase_task


def job_chain(app: Celery, ref: JobRef) -> chain:
    """The chain of all eleven phases of an attempt.

    No link names a queue: each follows the first one, in the device's own.
    """
    kwargs = ref.model_dump()
    links = [signature(phase_task(phase), kwargs=kwargs, immutable=True, app=app) for phase in PHASES]
    return chain(*links, app=app)
