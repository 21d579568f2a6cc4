from pathlib import Path

import pytest

from contract.errors import PhaseError
from contract.jobs import JobRef
from contract.states import Intent
from tests.worker.rig import Rig
from worker.installation.command import command_line, split, variables
from worker.processes.mark import MARK


def test_quotes_are_understood_as_a_packager_types_them(tmp_path: Path) -> None:
    assert split("sh -c \"echo 'a b'\" --flag=x\\ y", tmp_path) == ["sh", "-c", "echo 'a b'", "--flag=x y"]


def test_nothing_is_given_to_a_shell(tmp_path: Path) -> None:
    assert split("echo $(id); rm -rf *", tmp_path) == ["echo", "$(id);", "rm", "-rf", "*"]


def test_a_program_of_the_content_is_taken_from_there_and_made_executable(tmp_path: Path) -> None:
    program = tmp_path / "setup.run"
    program.touch(mode=0o644)
    assert split("setup.run --silent", tmp_path) == [str(program), "--silent"]
    assert program.stat().st_mode & 0o100


def test_a_program_outside_the_content_is_left_as_it_is(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(mode=0o644)
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    assert split("../outside", folder) == ["../outside"]
    assert split("link", folder) == ["link"]
    assert split(f"{outside} --x", folder) == [str(outside), "--x"]
    assert not outside.stat().st_mode & 0o100


@pytest.mark.parametrize("line", ["sh 'unclosed", "   "])
def test_a_line_without_a_command_is_refused_with_the_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(PhaseError) as caught:
        split(line, tmp_path)
    assert caught.value.place == line


def test_the_intent_chooses_the_command(rig: Rig) -> None:
    assert command_line(rig.policy()) == "sh install.sh"
    assert command_line(rig.policy(intent=Intent.AVAILABLE)) == "sh install.sh"
    assert command_line(rig.policy(intent=Intent.UNINSTALL)) == "sh uninstall.sh"


def test_each_attempt_has_a_mark_of_its_own(rig: Rig) -> None:
    ref = JobRef(job_id="12345678-1234-1234-1234-123456789abc", generation=2, attempt=3)
    assert variables(rig.policy(), ref)[MARK] == "12345678-1234-1234-1234-123456789abc/2/3"
