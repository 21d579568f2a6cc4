"""Did each device end as it should? Pure."""

from contract.jobs import JobState
from contract.phases import Phase
from control.views.jobs import JobDetail, JobView
from deploy.demo.devices import DemoDevice


def has_ended(job: JobView) -> bool:
    """Whether nothing more happens to the job during the demo: it is done, or waits for its next attempt."""
    return job.state in (JobState.FINISHED, JobState.WAITING)


def is_told(job: JobDetail) -> bool:
    """Whether the device has told everything, the time of its report included."""
    return has_ended(job) and any(record.phase is Phase.REPORT for record in job.phases)


def shortcomings(device: DemoDevice, job: JobDetail) -> list[str]:
    """What is not as the device's story wants it, in words; empty if all is well."""
    downloaded = any(record.phase is Phase.DOWNLOAD for record in job.phases)
    checks = {
        f"outcome {_word(job.outcome)}, expected {device.outcome.value}": job.outcome is device.outcome,
        f"raw exit code {job.raw_exit_code}, expected {device.raw_exit_code}": job.raw_exit_code
        == device.raw_exit_code,
        f"content {'' if downloaded else 'not '}fetched": downloaded == device.downloads,
        "no next attempt announced": device.outcome.as_desired or job.next_action_at is not None,
    }
    return [words for words, holds in checks.items() if not holds]


def _word(outcome: object) -> str:
    return "none" if outcome is None else str(outcome)
