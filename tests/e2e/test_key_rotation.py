"""Keys changed under running devices, by the commands of the operating guide."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from contract.envelopes import SignedEnvelope
from contract.jobs import JobState
from contract.states import Outcome
from contract.trusted_keys import TrustedKeys
from deploy.local.control_parts import control_environment, program
from tests.e2e.conftest import SECONDS, Demo, wait_until
from worker.folders import Folders

pytestmark = [pytest.mark.integration, pytest.mark.e2e, pytest.mark.timeout(300)]

DEVICE = "laptop-new"


def control(demo: Demo, *words: str) -> Any:
    """What `outrider-control keys` answers on the control plane's host."""
    environment = control_environment(demo.stack.layout, demo.stack.addresses)
    command = [program("outrider-control"), "keys", *words, "--json"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def trusted_by(demo: Demo) -> TrustedKeys | None:
    """What the device learned since it enrolled."""
    path = Folders(demo.state(DEVICE)).ledger
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as ledger:
        row = ledger.execute("SELECT envelope FROM trusted_keys").fetchone()
    return None if row is None else TrustedKeys.from_json(SignedEnvelope.from_json(row[0]).payload)


def install(demo: Demo, folder: Path, name: str) -> None:
    demo.publish(folder, name, {"install.sh": f'touch "$HOME/{name}"\n'}, detection=name)
    demo.assign(name, DEVICE)
    job = demo.wait_for_job(name, DEVICE, lambda job: job.state is JobState.FINISHED)
    assert job.outcome is Outcome.INSTALLED, job


@pytest.fixture
def away(demo: Demo, tmp_path: Path) -> Iterator[Path]:
    """The root key, taken away for a while."""
    here, away = demo.stack.layout.control_state / "root.key", tmp_path / "root.key"
    here.rename(away)
    yield away
    away.rename(here)


def test_a_stolen_policy_key_is_revoked_with_a_root_key_from_elsewhere_and_devices_work_on(
    demo: Demo, away: Path, tmp_path: Path
) -> None:
    draft = tmp_path / "next.json"
    (old,) = (key["id"] for key in control(demo, "show")["policy_keys"])
    assert control(demo, "policy-rotate", "--revoke-old", "--draft", str(draft))["missing_signatures"] == 1
    install(demo, tmp_path / "before", "before-rotation")
    control(demo, "sign", str(draft), "--root-key", str(away))
    version = control(demo, "publish", str(draft))["version"]
    install(demo, tmp_path / "after", "after-rotation")
    trusted = trusted_by(demo)
    assert trusted is not None
    assert (trusted.version, old in trusted.policy_keys) == (version, False)


def test_a_device_hears_of_new_keys_at_its_check_in(demo: Demo, tmp_path: Path) -> None:
    made = control(demo, "root-new", str(tmp_path / "second.key"))
    keys = [demo.stack.layout.control_state / "root.key", tmp_path / "second.key"]
    signing = [word for path in keys for word in ("--root-key", str(path))]
    changed = control(demo, "root-rotate", "--add", made["public_key"], *signing)
    assert changed["published"]
    demo.agent(DEVICE).terminate()

    def has_heard() -> bool:
        trusted = trusted_by(demo)
        return trusted is not None and trusted.version == changed["version"]

    wait_until(has_heard)
