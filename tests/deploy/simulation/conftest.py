"""What a simulated device is made of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.rig import Rig, pack


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A device with an identity, and with a package that it may be sent."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "install.sh").write_text("true\n")
    made = Rig(tmp_path / "device", pack(source, tmp_path))
    yield made
    made.device.ledger.close()
