"""The installer of an attempt: started once, watched, found again after a restart of the agent."""

from collections.abc import Callable

from contract.jobs import JobRef
from contract.policy import Policy
from worker.device import Device
from worker.installation.command import command_line, mark, not_started, split, variables
from worker.installation.given_content import give_content
from worker.installation.user_context import LoggedOnUser, require_logged_on
from worker.ledger.installs import InstallerRun
from worker.narration.installer import installer_begins
from worker.processes.launch import Launch
from worker.processes.logged import Logged, launch_logged
from worker.processes.watched import Ended, find_again, wait_within
from worker.secrets.giving import GivenSecrets, given_secrets


def run_installer(device: Device, ref: JobRef, policy: Policy, user: LoggedOnUser | None = None) -> Ended:
    """Start the policy's command in its content's folder and wait for it.

    The ledger knows of it before it starts: an agent that dies at any point here never starts it twice unknowingly.

    Args:
        device: Where.
        ref: The attempt.
        policy: Whose command, with its time limit.
        user: In whose name it runs; the agent's own where None.

    Raises:
        PhaseError: INSTALLER_NOT_STARTED, USER_LOGGED_OFF, SECRET_UNAVAILABLE or SECRET_REFUSED.
        UnavailableError: SECRET_UNAVAILABLE: the control plane does not answer.
    """
    with given_secrets(device, ref, policy, None if user is None else user.account) as secrets:
        return _run(device, ref, policy, user, secrets)


def _run(device: Device, ref: JobRef, policy: Policy, user: LoggedOnUser | None, secrets: GivenSecrets) -> Ended:
    installs = device.ledger.installs
    what = _launch(device, ref, policy, user, secrets)
    if user is not None:
        require_logged_on(device.machine.platform, user.account.name)
    installer_begins(policy, what.folder, command_line(policy))
    installs.starting(ref, policy.app_id, now=device.clock.now())
    logged = _start(device, ref, policy, what, secrets)
    installs.started(ref, pid=logged.process.pid, create_time=logged.process.create_time())
    ended = wait_within(logged.process, policy.limits.max_run_time_seconds, mark(ref), _is_stopped(device, ref))
    installs.ended(ref, exit_code=ended.exit_code, now=device.clock.now())
    logged.settle()
    return ended


def _start(device: Device, ref: JobRef, policy: Policy, what: Launch, secrets: GivenSecrets) -> Logged:
    try:
        return launch_logged(what, secrets=secrets.texts)
    except OSError as error:
        device.ledger.installs.ended(ref, exit_code=None, now=device.clock.now())
        raise not_started(error.strerror or str(error), command_line(policy)) from error


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
    device.secret_files.remove(run.ref)
    return ended.timed_out


def earlier_run(device: Device, ref: JobRef, policy: Policy) -> Ended | None:
    """How this very attempt's installer ended, if it was started before; None if it was not."""
    timed_out = wait_for_unfinished(device, policy)
    own = device.ledger.installs.run(ref)
    if own is None:
        return None
    stopped = own.exit_code is None and device.ledger.orders.stops(ref)
    return Ended(own.exit_code, timed_out=timed_out, stopped=stopped)


def _wait_for(device: Device, run: InstallerRun, limit_seconds: float) -> Ended:
    process = find_again(run.pid, run.create_time, mark(run.ref))
    if process is None:
        return Ended(exit_code=None)
    elapsed = (device.clock.now() - run.started_at).total_seconds()
    left_seconds = min(limit_seconds, max(0.0, limit_seconds - elapsed))
    return wait_within(process, left_seconds, mark(run.ref), _is_stopped(device, run.ref))


def _is_stopped(device: Device, ref: JobRef) -> Callable[[], bool]:
    return lambda: device.ledger.orders.stops(ref)


def _launch(device: Device, ref: JobRef, policy: Policy, user: LoggedOnUser | None, secrets: GivenSecrets) -> Launch:
    folder = device.folders.content(policy)
    command = split(command_line(policy), folder)
    more = {**secrets.variables, **variables(policy, ref)}
    if user is not None:
        more |= user.variables()
        _give(device, policy, user)
    return Launch(
        command=command,
        folder=folder,
        environment=device.environment.variables(**more),
        output=device.folders.installer_log(policy, ref),
        account=None if user is None else user.account,
    )


def _give(device: Device, policy: Policy, user: LoggedOnUser) -> None:
    try:
        give_content(device.folders, device.folders.content(policy), user.account)
    except OSError as error:
        detail = f"the content could not be given to {user.account.name}: {error.strerror}"
        raise not_started(detail, command_line(policy)) from error
