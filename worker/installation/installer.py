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


def earlier_run(device: Device, ref: JobRef, policy: Policy) -> Ended | None:
    """How this very attempt's installer ended, if it was started before; None if it was not.

    An installer of the app that still runs, of whatever attempt, is waited for first: no second one runs beside it.
    """
    timed_out = False
    unfinished = device.ledger.installs.unfinished(policy.app_id)
    if unfinished is not None:
        timed_out = _wait_for(device, unfinished, policy.limits.max_run_time_seconds).timed_out
        device.ledger.installs.ended(unfinished.ref, exit_code=None, now=device.clock.now())
    own = device.ledger.installs.run(ref)
    if own is None:
        return None
    return Ended(own.exit_code, timed_out=timed_out)


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
