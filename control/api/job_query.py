"""How a request says which jobs it is about."""

from typing import Annotated

from fastapi import Depends, Query

from control.answers.job_filter import JobFilter
from control.api.dependencies import OperatorDep
from control.views.job_selection import JobQuery


def job_filter(operator: OperatorDep, query: Annotated[JobQuery, Query()]) -> JobFilter:
    """The jobs that are asked for; for a confined token, of those on the devices in its groups."""
    return JobFilter(**query.model_dump(), group_ids=operator.scope)


JobFilterDep = Annotated[JobFilter, Depends(job_filter)]
