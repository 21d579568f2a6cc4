"""The operators' side: where the jobs are, in numbers and one by one, and what went wrong."""

from typing import Annotated

from fastapi import Query

from control.answers.errors import error_counts
from control.answers.jobs import list_jobs
from control.answers.moment import this_moment
from control.answers.summaries import job_summary
from control.answers.why import why as reasons_why
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.guarded_route import guarded_router, requires
from control.api.job_query import JobFilterDep
from control.api.pages import PageDep
from control.database.tables import Role
from control.fleet.devices import find_device
from control.views.jobs import JobView
from control.views.page import Page
from control.views.status import ErrorCount, JobSummary
from control.views.why import Why

router = guarded_router("status")

Past = Annotated[bool, Query(description="Also what earlier attempts and replaced jobs reported.")]
Named = Annotated[str, Query(min_length=1, max_length=200, description="By name or id.")]


@router.get("/status", dependencies=[requires(Role.VIEWER, confined=True)])
def status(services: ServicesDep, wanted: JobFilterDep, page: PageDep) -> Page[JobView]:
    """Where each job is, what came of it, and what happens next."""
    with services.database.snapshot() as session:
        return list_jobs(session, wanted, this_moment(services), page)


@router.get("/summary", dependencies=[requires(Role.VIEWER, confined=True)])
def summary(services: ServicesDep, wanted: JobFilterDep) -> JobSummary:
    """How many jobs are where."""
    with services.database.snapshot() as session:
        return job_summary(session, wanted, this_moment(services))


@router.get("/errors", dependencies=[requires(Role.VIEWER, confined=True)])
def errors(services: ServicesDep, wanted: JobFilterDep, *, past: Past = False) -> list[ErrorCount]:
    """The errors that jobs have now, by code, phase and app, the commonest first."""
    with services.database.snapshot() as session:
        return error_counts(session, wanted, past=past)


@router.get("/why", dependencies=[requires(Role.VIEWER, confined=True)])
def why(services: ServicesDep, operator: OperatorDep, device: Named, app: Named) -> Why:
    """Why an app is as it is on a device: what is wanted of it and by whom, and what the device made of it."""
    with services.database.snapshot() as session:
        operator.require_device(session, find_device(session, device).id)
        return reasons_why(session, device, app, this_moment(services))
