from pathlib import Path

from worker.processes.tail import tail


def test_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("first\n" * 1000 + "last\n")
    assert tail(file, 5) == "last\n"


def test_a_short_file_is_read_whole_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("all")
    assert tail(tmp_path / "log", 100) == "all"
    assert tail(tmp_path / "missing", 100) == ""


def test_what_no_database_takes_is_left_out_and_what_is_no_text_is_marked(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"a\0b\xff")
    assert tail(tmp_path / "log", 100) == "ab\N{REPLACEMENT CHARACTER}"
