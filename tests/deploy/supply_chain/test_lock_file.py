from pathlib import Path

import pytest

from deploy.supply_chain.installed import installed, strangers
from deploy.supply_chain.lock_file import BENCH_LOCK, GRAPH_LOCK, LOCK, Locked, read_lock

_HASH = "--hash=sha256:" + "0" * 64


def _read(folder: Path, text: str) -> tuple[list[Locked], list[str]]:
    path = folder / "a.lock"
    path.write_text(text, encoding="utf-8")
    locked, findings = read_lock(path)
    return locked, [finding.place for finding in findings]


@pytest.mark.parametrize("path", [LOCK, GRAPH_LOCK, BENCH_LOCK])
def test_every_line_of_the_projects_locks_is_pinned_and_hashed(path: Path) -> None:
    locked, findings = read_lock(path)
    assert findings == []
    assert len(locked) > 5


def test_entries_go_over_lines_and_may_have_markers(tmp_path: Path) -> None:
    text = f"# comment\n\nAn_Example==1.0 ; sys_platform == 'win32' \\\n    {_HASH} \\\n    {_HASH}\nb[c]==2 {_HASH}\n"
    assert _read(tmp_path, text) == ([Locked("an-example", "1.0"), Locked("b", "2")], [])


@pytest.mark.parametrize(
    "line",
    [
        "a==1.0",
        "a==1.0 --hash=md5:" + "0" * 32,
        f"a==1.0 {_HASH} --hash=sha256:short",
        f"a>=1.0 {_HASH}",
        f"a==1.* {_HASH}",
        f"a {_HASH}",
        f"a @ https://example.org/a.whl {_HASH}",
        f"git+ssh://example.org/a {_HASH}",
        "-e .",
        "--extra-index-url https://example.org",
        "--pre",
        f"a b {_HASH}",
        "a==1.0 \\",
    ],
)
def test_a_line_that_locks_nothing_is_found_with_its_place(tmp_path: Path, line: str) -> None:
    assert _read(tmp_path, f"good==1 {_HASH}\n{line}\n") == ([Locked("good", "1")], ["a.lock:2"])


def test_all_that_is_installed_here_is_locked() -> None:
    locked = [*read_lock(LOCK)[0], *read_lock(GRAPH_LOCK)[0]]
    assert list(strangers(installed(), locked)) == []


def test_what_the_benchmark_compares_with_is_in_no_other_lock() -> None:
    here = {locked.name for lock in (LOCK, GRAPH_LOCK) for locked in read_lock(lock)[0]}
    assert not here & {"pyinfra", "ansible-core", "py-spy"}


def test_what_is_not_locked_or_in_another_version_is_found() -> None:
    present = [Locked("outrider", "0"), Locked("a", "1"), Locked("b", "1"), Locked("c", "1")]
    found = {each.place: each.words for each in strangers(present, [Locked("a", "1"), Locked("b", "2")])}
    assert found == {"b": "1 is installed, 2 is locked", "c": "1 is installed, nothing is locked"}
