"""Deploy with pyinfra: its command line, its own operations, each device a folder behind its local connector.

`@local` may stand in an inventory once; a connector of six lines, registered as its documentation says, gives it more
names. The controller is pyinfra's process; what it starts (sh, cp, tar, sha256sum, the installer) is the devices'.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tests.bench.deployers.cost import Cost, run_counted
from tests.bench.deployers.small_app import APPS, SmallApp
from tests.bench.frame.tools import tool

_CONNECTOR = """
from pyinfra.connectors.local import LocalConnector

class DeviceConnector(LocalConnector):
    @staticmethod
    def make_names_data(name=None):
        yield f"@device/{name}", {}, []
"""

_DEPLOY = """
import json
from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.operations import files, server

app = json.load(open("app.json"))
home = host.data.home
incoming, staging = f"{home}/incoming.tar.gz", f"{home}/staging"
if not host.get_fact(File, path=f"{home}/{app['installed']}"):
    files.put(name="copy", src=app["archive"], dest=incoming)
    server.shell(name="SHA-256", commands=f"echo '{app['digest']}  {incoming}' | sha256sum --check --status")
    server.shell(name="unpack", commands=f"mkdir {staging} && tar -xzf {incoming} -C {staging}")
    server.shell(name="install", commands=f"cd {staging} && HOME={home} sh install.sh {app['name']}")
    server.shell(name="detect", commands=f"test -f {home}/{app['installed']}")
"""

#: What makes the connector known to pyinfra.
_DISTRIBUTION = "device_connector-1.dist-info"
_ENTRY_POINT = "[pyinfra.connectors]\ndevice = device_connector:DeviceConnector\n"


def deploy(app: SmallApp, name: str, homes: Sequence[Path], folder: Path) -> Cost:
    """Bring the app to all homes at once."""
    _write(app, name, homes, folder)
    command = [tool("pyinfra"), "-y", "inventory.py", "deploy.py"]
    run = run_counted(command, folder, {"PYTHONPATH": str(folder)})
    return Cost(run.wall, run.own, run.started)


def _write(app: SmallApp, name: str, homes: Sequence[Path], folder: Path) -> None:
    (folder / _DISTRIBUTION).mkdir(parents=True)
    (folder / _DISTRIBUTION / "METADATA").write_text("Name: device-connector\nVersion: 1\n", encoding="utf-8")
    (folder / _DISTRIBUTION / "entry_points.txt").write_text(_ENTRY_POINT, encoding="utf-8")
    (folder / "device_connector.py").write_text(_CONNECTOR, encoding="utf-8")
    (folder / "deploy.py").write_text(_DEPLOY, encoding="utf-8")
    about = {"archive": str(app.archive), "digest": app.digest, "installed": f"{APPS}/{name}", "name": name}
    (folder / "app.json").write_text(json.dumps(about), encoding="utf-8")
    devices = [(f"@device/{home.name}", {"home": str(home)}) for home in homes]
    (folder / "inventory.py").write_text(f"devices = {devices!r}\n", encoding="utf-8")
