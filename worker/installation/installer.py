"""The installer of an attempt: started once, watched, found again after a restart of the agent."""

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.jobs import JobRef
from contract.policy import Policy
from worker.device import Device
from worker.installation.command import command_line, mark, not_started, split, variables
from worker.ledger.installs import InstallerRun
from worker.processes.launch import Launch, launch
from worker.processes.watched import Ended, find_again, wait_within


def run_installer(device: Device, ref: JobRef, policy: Policy) -> Ended:
    """Start the policy's command in its content's folder and wait for it.

    The ledger knows of it before it starts: an agent that dies at any point here never starts it twice unknowingly.

    Raises:
        PhaseError: CONTENT_VANISHED or INSTALLER_NOT_STARTED.
    """
    installs = device.ledger.installs
    what = _launch(device, ref, policy)
    installs.starting(ref, policy.app_id, now=device.clock.now())
    try:
        process = launch(what)
    except OSError as error:
        installs.ended(ref, exit_code=None, now=device.clock.now())
        raise not_started(error.strerror or str(error), command_line(policy)) from error
    installs.started(ref, pid=process.pid, create_time=process.create_time())
    ended = wait_within(process, policy.limits.max_run_time_seconds)
    installs.ended(ref, exit_code=ended.exit_code, now=device.clock.now())
    return ended


def wait_for_unfinished(device: Device, policy: Policy) -> bool:
    """Wait for an installer of the app that an earlier agent left running, of whatever attempt.

    Until it has ended nothing can be said about the app, its content must stay, and no second one may run beside it.

    Returns:
        Whether it ran longer than allowed and was ended.
    """
    run = device.ledger.installs.unfinished(policy.app_id)
    if run is None:
        return False
    ended = _wait_for(device, run, policy.limits.max_run_time_seconds)
    device.ledger.installs.ended(run.ref, exit_code=None, now=device.clock.now())
    return ended.timed_out


def earlier_run(device: Device, ref: JobRef, policy: Policy) -> Ended | None:
    """How this very attempt's installer ended, if it was started before; None if it was not."""
    timed_out = wait_for_unfinished(device, policy)
    own = device.ledger.installs.run(ref)
    return None if own is None else Ended(own.exit_code, timed_out=timed_out)


def _wait_for(device: Device, run: InstallerRun, limit_seconds: float) -> Ended:
    process = find_again(run.pid, run.create_time, mark(run.ref))
    if process is None:
        return Ended(exit_code=None)
    elapsed = (device.clock.now() - run.started_at).total_seconds()
    return wait_within(process, min(limit_seconds, max(0.0, limit_seconds - elapsed)))


def _launch(device: Device, ref: JobRef, policy: Policy) -> Launch:
    folder = device.folders.content(policy)
    if not folder.is_dir():
        raise PhaseError(ErrorCode.CONTENT_VANISHED, detail="the folder is not there", place=str(folder))
    return Launch(
        command=split(command_line(policy), folder),
        folder=folder,
        environment=device.environment.variables(**variables(policy, ref)),
        output=device.folders.installer_log(policy, ref),
    )
