import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from contract.error_codes import ErrorCode
from contract.installer_secrets import SecretUse
from contract.jobs import JobRef
from contract.phases import Phase
from contract.policy import Commands
from contract.report import Report
from contract.states import Intent, Outcome
from tests.worker.rig import Rig
from tests.worker.secrets.conftest import LICENCE, PASSWORD, NewJob
from worker.installation.installer import run_installer
from worker.logs.known_secrets import STRUCK_OUT
from worker.processes.launch import Launch
from worker.processes.logged import Logged, launch_logged
from worker.secrets.files import SecretFiles

#: Prints what it was given, keeps it, and installs.
_COMMAND = (
    'sh -c \'cat "$OUTRIDER_SECRETS_DIR/licence" | tee "$TARGET/licence"; echo; '
    'printf %s "$EDITOR_PASSWORD" | tee "$TARGET/password"; sh install.sh\''
)
_COMMANDS = Commands(install=_COMMAND, uninstall="sh uninstall.sh")


@pytest.fixture(autouse=True)
def memory(rig: Rig, tmp_path: Path) -> Path:
    """The file system in memory that the rig's device has, so that a test can look into all of it."""
    folder = tmp_path / "memory"
    folder.mkdir()
    _use(rig, folder)
    return folder


def _use(rig: Rig, memory: Path) -> None:
    files = SecretFiles(rig.device.folders.state, memory)
    object.__setattr__(rig.device, "secret_files", files)


def _report(rig: Rig) -> Report:
    return [*rig.uplink.reports, *(waiting.report for waiting in rig.device.ledger.outbox.waiting())][-1]


def _everything(rig: Rig) -> str:
    """All that the device keeps, as text."""
    state = rig.device.folders.state
    files = [path.read_bytes() for path in state.rglob("*") if path.is_file()]
    with sqlite3.connect(rig.device.folders.ledger) as ledger:
        rows = "\n".join(ledger.iterdump())
    return rows + b"\n".join(files).decode("utf-8", errors="replace")


def test_the_command_gets_them_by_variable_and_by_file(rig: Rig, new_job: NewJob, memory: Path) -> None:
    ref, _ = new_job(commands=_COMMANDS)
    rig.run(ref)
    assert _report(rig).outcome is Outcome.INSTALLED
    assert (rig.target / "licence").read_text(encoding="utf-8") == LICENCE
    assert (rig.target / "password").read_text(encoding="utf-8") == PASSWORD
    assert not list(memory.iterdir())


def test_what_the_command_prints_of_them_is_in_no_log_and_no_report(rig: Rig, new_job: NewJob) -> None:
    ref, _ = new_job(commands=_COMMANDS)
    rig.run(ref)
    report = _report(rig)
    assert STRUCK_OUT in report.output_tail
    for text in (report.to_json(), _everything(rig)):
        assert LICENCE not in text
        assert PASSWORD not in text


def test_they_are_gone_when_the_command_fails_or_cannot_be_started(rig: Rig, new_job: NewJob, memory: Path) -> None:
    for line in ("sh -c 'exit 7'", "no-such-program"):
        ref, _ = new_job(commands=Commands(install=line, uninstall="true"), app_id=f"app-{len(line)}")
        rig.run(ref, until=Phase.INSTALL)
        assert not list(memory.iterdir())
        assert rig.device.known_secrets.strike(LICENCE) == LICENCE


def test_they_are_gone_when_the_command_runs_too_long(rig: Rig, new_job: NewJob, memory: Path) -> None:
    limits = rig.policy().limits.model_copy(update={"max_run_time_seconds": 0.2})
    ref, _ = new_job(commands=Commands(install="sleep 60", uninstall="true"), limits=limits)
    rig.run(ref)
    assert _report(rig).error is not None
    assert not list(memory.iterdir())


def test_the_uninstall_command_gets_what_its_policy_names(rig: Rig, new_job: NewJob) -> None:
    (rig.target / "editor").write_text("there", encoding="utf-8")
    line = 'sh -c \'printf %s "$EDITOR_PASSWORD" > "$TARGET/password"; sh uninstall.sh\''
    uses = (SecretUse(name="editor-password", env="EDITOR_PASSWORD"),)
    ref, _ = new_job(commands=Commands(install="false", uninstall=line), secrets=uses, intent=Intent.UNINSTALL)
    rig.run(ref)
    assert _report(rig).outcome is Outcome.UNINSTALLED
    assert (rig.target / "password").read_text(encoding="utf-8") == PASSWORD


def test_other_variables_of_the_command_win(rig: Rig, new_job: NewJob) -> None:
    uses = (SecretUse.model_construct(name="editor-password", env="OUTRIDER_JOB_ID"),)
    line = 'sh -c \'echo "$OUTRIDER_JOB_ID" > "$TARGET/id"\''
    ref, policy = new_job(commands=Commands(install=line, uninstall="true"))
    rig.run(ref, until=Phase.UNPACK)
    run_installer(rig.device, ref, policy.model_copy(update={"secrets": uses}))
    assert (rig.target / "id").read_text(encoding="utf-8").strip() == ref.job_id


def test_no_process_has_them_among_its_arguments_while_the_command_runs(
    rig: Rig, new_job: NewJob, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    ref, _ = new_job(commands=_COMMANDS)
    real = SecretFiles.remove

    def look_and_remove(files: SecretFiles, of: JobRef) -> None:
        seen.extend(" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
        real(files, of)

    monkeypatch.setattr(SecretFiles, "remove", look_and_remove)
    rig.run(ref)
    assert any("pytest" in line for line in seen)
    assert not [line for line in seen if LICENCE in line or PASSWORD in line]


def test_a_silent_control_plane_makes_the_phase_wait_and_start_nothing(rig: Rig, new_job: NewJob) -> None:
    ref, _ = new_job(commands=_COMMANDS)
    rig.run(ref, until=Phase.UNPACK)
    rig.uplink.available = False
    handover = rig.engine.run(Phase.INSTALL, ref)
    assert handover.retry_in_seconds
    assert rig.device.ledger.installs.run(ref) is None
    rig.uplink.available = True
    assert rig.engine.run(Phase.INSTALL, ref, turn=1).go_on_at is Phase.CONFIRM
    assert rig.installs() == 1


def test_a_deleted_secret_fails_the_attempt_with_a_code_of_its_own_and_the_next_one_works(
    rig: Rig, new_job: NewJob
) -> None:
    ref, _ = new_job(commands=_COMMANDS)
    kept = rig.uplink.sealed_secrets.pop(ref.job_id)
    rig.run(ref)
    error = _report(rig).error
    assert error is not None
    assert (error.code, error.number) == ("secret-unavailable", ErrorCode.SECRET_UNAVAILABLE.number)
    assert error.phase is Phase.INSTALL
    assert rig.installs() == 0
    rig.uplink.sealed_secrets[ref.job_id] = kept
    rig.clock.advance(timedelta(seconds=301))
    rig.run(ref.next_attempt())
    assert rig.installs() == 1


def test_what_a_killed_agent_gave_is_gone_when_its_installer_was_waited_for(
    rig: Rig, new_job: NewJob, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref, _ = new_job(commands=_COMMANDS)
    rig.run(ref, until=Phase.UNPACK)

    started: list[Logged] = []

    def start(what: Launch, **options: Any) -> Logged:
        started.append(launch_logged(what, **options))
        return started[0]

    def killed(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        # As if the process were gone: nothing of it is undone.
        patch.setattr(SecretFiles, "remove", lambda *_: None)
        patch.setattr("worker.installation.installer.launch_logged", start)
        patch.setattr("worker.installation.installer.wait_within", killed)
        with pytest.raises(SystemExit):
            rig.engine.run(Phase.INSTALL, ref)
    assert list(memory.iterdir())
    started[0].process.wait(30)
    started[0].settle()
    rig.restart()
    _use(rig, memory)
    rig.engine.run(Phase.INSTALL, ref)
    assert rig.installs() == 1
    assert not list(memory.iterdir())
