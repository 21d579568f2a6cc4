"""Which jobs are alive."""

from typing import Final

from contract.jobs import JobState

#: A job in one of these states is wanted and not yet over: its device is to carry it out.
WANTED_STATES: Final = (JobState.PLANNED, JobState.SENT, JobState.RUNNING, JobState.WAITING, JobState.HELD)

#: A job in one of these states holds its device's place for its app: a device has at most one such job for an app.
LIVE_STATES: Final = (*WANTED_STATES, JobState.CANCELLING)
