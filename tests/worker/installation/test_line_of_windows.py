from pathlib import Path

import pytest

from worker.installation.windows_line import with_program_from


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "my content"
    (folder / "sub").mkdir(parents=True)
    for name in ("setup.exe", "install all.cmd", "sub/tool.exe"):
        (folder / name).touch()
    (tmp_path / "outside.exe").touch()
    return folder


@pytest.mark.parametrize(
    ("line", "program", "rest"),
    [
        ("setup.exe", "setup.exe", ""),
        ("setup /S", "setup.exe", " /S"),
        ('  "setup.exe" /D="C:\\Program Files"', "setup.exe", ' /D="C:\\Program Files"'),
        ('"install all.cmd" quiet', "install all.cmd", " quiet"),
        ("sub/tool /x", "sub/tool.exe", " /x"),
    ],
)
def test_a_program_in_the_content_is_named_by_its_whole_path(content: Path, line: str, program: str, rest: str) -> None:
    assert with_program_from(content, line) == f'"{content / program}"{rest}'


@pytest.mark.parametrize(
    "line", ['msiexec /i "setup.exe" /qn', "cmd /c install.cmd", "../outside.exe", "", '"', '"" x', "install all.cmd"]
)
def test_every_other_line_stays_as_typed(content: Path, line: str) -> None:
    assert with_program_from(content, line) == line
