"""A part becomes a shell script that a person could run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy.local.part import Part, run_script
from deploy.local.readiness import START_MARK

ODD = "a 'b' \"c\" %d $HOME ; # \\ \n ! ä"
SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]))"


def run(part: Part, folder: Path) -> tuple[list[str], dict[str, str], str]:
    script = run_script(part, folder=folder, inherited={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    done = subprocess.run(["/bin/sh", "-c", script], env={"LEAK": "x"}, capture_output=True, text=True, check=True)
    mark, _, shown = done.stdout.partition("\n")
    assert mark.startswith(f"{START_MARK}{part.name}, process ")
    arguments, environment, cwd = json.loads(shown)
    return arguments, environment, cwd


def test_arguments_environment_and_folder_arrive_unchanged(tmp_path: Path) -> None:
    folder = tmp_path / "a folder's name"
    folder.mkdir()
    part = Part(name="odd", command=(sys.executable, "-c", SHOW, ODD, ""), environment={"ODD": ODD})
    arguments, environment, cwd = run(part, folder)
    assert arguments == [ODD, ""]
    assert environment["ODD"] == ODD
    assert environment["HOME"] == cwd == str(folder)


def test_what_a_part_says_of_its_environment_wins(tmp_path: Path) -> None:
    part = Part(name="own-home", command=(sys.executable, "-c", SHOW), environment={"HOME": "/elsewhere"})
    assert run(part, tmp_path)[1]["HOME"] == "/elsewhere"


def test_a_part_does_not_show_its_environment() -> None:
    assert "secret" not in repr(Part(name="quiet", command=("x",), environment={"KEY": "secret"}))


@pytest.mark.parametrize("name", ["", "Upper", "../up", "a b", "-a", "a" * 64])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Part(name=name, command=("x",))
