"""Deploy with ansible-core: a playbook of its own modules, each device a folder behind its local connection.

Forks are its default, five; no facts are gathered. The controller is ansible-playbook with the processes it forks for
each task; what these start (sh, Python with the module, the installer) is the devices'. A subclass of the local
connection, otherwise as it is, notes the processor time of that.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.bench.deployers.cost import Cost, run_counted
from tests.bench.deployers.small_app import APPS, SETUP_FILE, SmallApp
from tests.bench.frame.tools import tool

FORKS = 5

_CONNECTION = """
import os, resource
from ansible.plugins.connection import local

DOCUMENTATION = local.DOCUMENTATION.replace("name: local", "name: counted")

def used():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime

class Connection(local.Connection):
    def exec_command(self, *args, **kwargs):
        before = used()
        try:
            return super().exec_command(*args, **kwargs)
        finally:
            with open(os.environ["DEVICE_SECONDS"], "a") as file:
                file.write(f"{used() - before}\\n")
"""


def deploy(app: SmallApp, name: str, homes: Sequence[Path], folder: Path) -> Cost:
    """Bring the app to all homes."""
    _write(app, name, homes, folder)
    of_devices = folder / "device_seconds"
    environment = {
        "ANSIBLE_CONNECTION_PLUGINS": str(folder),
        "ANSIBLE_FORKS": str(FORKS),
        "ANSIBLE_LOCAL_TEMP": str(folder / "controller"),
        "DEVICE_SECONDS": str(of_devices),
    }
    run = run_counted([tool("ansible-playbook"), "-i", "inventory.json", "playbook.json"], folder, environment)
    devices = sum(map(float, of_devices.read_text(encoding="ascii").split()))
    return Cost(run.wall, run.own + run.started - devices, devices)


def _write(app: SmallApp, name: str, homes: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "counted.py").write_text(_CONNECTION, encoding="utf-8")
    (folder / "playbook.json").write_text(json.dumps([_play(app, name)]), encoding="utf-8")
    hosts = {home.name: {"home": str(home), "ansible_remote_tmp": str(home / "tmp")} for home in homes}
    common = {"ansible_connection": "counted", "ansible_python_interpreter": "/usr/bin/python3"}
    inventory = {"all": {"hosts": hosts, "vars": common}}
    (folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")


def _play(app: SmallApp, name: str) -> dict[str, object]:
    incoming, staging, installed = "{{ home }}/incoming.tar.gz", "{{ home }}/staging", f"{{{{ home }}}}/{APPS}/{name}"
    missing = "not found.stat.exists"
    install = {"cmd": f"sh {SETUP_FILE} {name}", "chdir": staging}
    tasks: list[dict[str, object]] = [
        {"name": "detect", "stat": {"path": installed, "get_checksum": False}, "register": "found"},
        {"name": "copy", "copy": {"src": str(app.archive), "dest": incoming}, "when": missing},
        {
            "name": "SHA-256",
            "stat": {"path": incoming, "checksum_algorithm": "sha256"},
            "register": "copied",
            "failed_when": f"copied.stat.checksum != '{app.digest}'",
            "when": missing,
        },
        {"name": "folder", "file": {"path": staging, "state": "directory"}, "when": missing},
        {"name": "unpack", "unarchive": {"src": incoming, "dest": staging, "remote_src": True}, "when": missing},
        {"name": "install", "command": install, "environment": {"HOME": "{{ home }}"}, "when": missing},
        {
            "name": "detect again",
            "stat": {"path": installed, "get_checksum": False},
            "register": "there",
            "failed_when": "not there.stat.exists",
        },
    ]
    return {"hosts": "all", "gather_facts": False, "tasks": tasks}
