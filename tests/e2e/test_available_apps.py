"""What somebody at a device does: looks what is offered, asks for it, follows it, removes it again."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from contract.exit_statuses import ExitStatus
from deploy.local.control_parts import program
from tests.e2e.conftest import SECONDS, Demo

pytestmark = [pytest.mark.integration, pytest.mark.e2e]

DEVICE, APP = "laptop-has-it", "on-request"
FILES = {"install.sh": "touch $HOME/on-request\n", "uninstall.sh": "rm $HOME/on-request\n"}


def at_device(demo: Demo, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the agent, typed at the device."""
    command = [program("outrider-agent"), *words, "--state-dir", str(demo.state(DEVICE))]
    environment = {"PATH": os.environ["PATH"], "HOME": str(demo.home(DEVICE))}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)


def offered(demo: Demo) -> dict[str, dict[str, Any]]:
    """What the device is offered, by name."""
    return {app["name"]: app for app in json.loads(at_device(demo, "apps", "--json").stdout)["apps"]}


@pytest.mark.timeout(4 * SECONDS)
def test_an_app_on_offer_is_asked_for_followed_and_removed_again(demo: Demo, tmp_path: Path) -> None:
    program_file = demo.home(DEVICE) / APP
    assert at_device(demo, "install", APP).returncode == ExitStatus.USAGE, "nobody offers it"
    demo.publish(tmp_path, APP, FILES, detection=APP)
    demo.operator.type("outrider", "group", "create", "people")
    demo.operator.type("outrider", "group", "add", "people", DEVICE)
    demo.operator.type("outrider", "assign", APP, "--group", "people", "--intent", "available")
    assert offered(demo)[APP]["standing"] == "not-installed"
    assert not program_file.exists()

    asked = at_device(demo, "install", APP, "--wait", "--timeout", "50")
    assert asked.returncode == 0, asked.stderr
    assert program_file.exists()
    assert offered(demo)[APP]["standing"] == "installed"
    assert any("asked for" in line for line in demo.run(f"outrider why {DEVICE} {APP}").stdout.splitlines())

    removed = at_device(demo, "uninstall", APP, "--wait", "--timeout", "50")
    assert removed.returncode == 0, removed.stderr
    assert not program_file.exists()
    assert offered(demo)[APP]["standing"] == "not-installed"
