"""A rig per test, with content packed once."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.rig import PackedContent, Rig, pack

INSTALL = """\
echo "installing into $TARGET"
if [ -f "$TARGET/fail" ]; then exit "$(cat "$TARGET/fail")"; fi
while [ -f "$TARGET/hold" ]; do sleep 0.05; done
cp editor.txt "$TARGET/editor"
echo "$OUTRIDER_JOB_ID $OUTRIDER_ATTEMPT" >> "$TARGET/runs"
"""
UNINSTALL = 'rm "$TARGET/editor"\n'


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> PackedContent:
    """A real, small program, packed."""
    folder = tmp_path_factory.mktemp("content")
    source = folder / "source"
    source.mkdir()
    (source / "install.sh").write_text(INSTALL, encoding="utf-8")
    (source / "uninstall.sh").write_text(UNINSTALL, encoding="utf-8")
    (source / "editor.txt").write_text("the program\n" * 1000, encoding="utf-8")
    return pack(source, folder)


@pytest.fixture
def rig(tmp_path: Path, content: PackedContent) -> Iterator[Rig]:
    """A device that can run jobs."""
    made = Rig(tmp_path, content)
    yield made
    made.device.ledger.close()


@pytest.fixture
def folder_for_all() -> Iterator[Path]:
    """A folder that other accounts can walk to; pytest closes its own to them."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)
