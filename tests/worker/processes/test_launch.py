import os
import stat
import threading
from pathlib import Path

import pytest

from worker.processes.launch import Launch, launch


def _launch(folder: Path, *command: str, errors: Path | None = None) -> Launch:
    return Launch(command, folder, {"PATH": "/usr/bin:/bin", "ONLY": "this"}, folder / "output", errors)


def test_a_program_runs_in_its_folder_with_its_environment_and_nothing_else(tmp_path: Path) -> None:
    process = launch(_launch(tmp_path, "sh", "-c", "pwd; env | grep -v -e PWD -e SHLVL -e _= | sort"))
    assert process.wait(10) == 0
    assert (tmp_path / "output").read_text() == f"{tmp_path}\nONLY=this\nPATH=/usr/bin:/bin\n"


def test_it_leads_a_session_of_its_own(tmp_path: Path) -> None:
    process = launch(_launch(tmp_path, "sleep", "30"))
    try:
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
    finally:
        process.kill()
        process.wait(10)


def test_it_gets_no_input_to_wait_for(tmp_path: Path) -> None:
    assert launch(_launch(tmp_path, "cat")).wait(10) == 0


def test_errors_go_to_the_same_file_unless_they_have_their_own(tmp_path: Path) -> None:
    assert launch(_launch(tmp_path, "sh", "-c", "echo bad >&2")).wait(10) == 0
    assert (tmp_path / "output").read_text() == "bad\n"
    own = tmp_path / "errors"
    assert launch(_launch(tmp_path, "sh", "-c", "echo worse >&2", errors=own)).wait(10) == 0
    assert own.read_text() == "worse\n"


def test_installed_files_are_for_everybody_though_the_agents_own_are_not(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert launch(_launch(tmp_path, "sh", "-c", "touch installed; umask")).wait(10) == 0
    finally:
        os.umask(before)
    assert (tmp_path / "output").read_text() == "0022\n"
    assert stat.S_IMODE((tmp_path / "installed").stat().st_mode) == 0o644


def test_a_program_that_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        launch(_launch(tmp_path, "no-such-program"))


def test_a_program_that_is_still_being_written_is_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o755)
    writer = program.open("ab")
    closer = threading.Timer(0.05, writer.close)
    closer.start()
    try:
        assert launch(_launch(tmp_path, str(program))).wait(10) == 7
    finally:
        closer.join()
