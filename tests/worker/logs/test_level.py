from pathlib import Path

import pytest

from worker.logs.level import LogLevel, read_level, write_level


@pytest.mark.parametrize("level", LogLevel)
def test_a_level_is_read_as_it_was_written(tmp_path: Path, level: LogLevel) -> None:
    write_level(tmp_path / "log-level", level)
    assert read_level(tmp_path / "log-level") is level


@pytest.mark.parametrize("text", ["", "loud", "\0", "10"])
def test_a_file_that_makes_no_sense_means_the_usual_level(tmp_path: Path, text: str) -> None:
    (tmp_path / "log-level").write_text(text, encoding="utf-8")
    assert read_level(tmp_path / "log-level") is LogLevel.INFO


def test_bytes_that_are_no_text_mean_the_usual_level(tmp_path: Path) -> None:
    (tmp_path / "log-level").write_bytes(b"\xff\xfe")
    assert read_level(tmp_path / "log-level") is LogLevel.INFO
