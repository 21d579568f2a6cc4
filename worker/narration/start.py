"""The steps of starting the agent."""

import os
import shutil
import sys
from urllib.parse import urlsplit

from worker.device import Device
from worker.narration.narrate import narrate
from worker.narration.steps import Step

_CODE_INTEGRITY_KEY = r"SYSTEM\CurrentControlSet\Control\CI\Policy"


def agent_starts(device: Device) -> None:
    """Say who starts, on which machine, and whom it talks to."""
    facts, identity = device.machine.platform.facts(), device.identity
    narrate(Step.AGENT_STARTED, version=facts.agent_version, pid=os.getpid())
    narrate(Step.S_MODE_CHECKED, s_mode=_s_mode())
    free_bytes = shutil.disk_usage(device.folders.state).free
    narrate(Step.CONTENT_MANAGER_STARTED, folder=str(device.folders.incoming.parent), free_bytes=free_bytes)
    narrate(
        Step.DEVICE_NOTED,
        device_id=identity.device_id,
        name=identity.name,
        os_name=facts.os_name,
        os_version=facts.os_version,
        architecture=facts.architecture,
    )
    broker = urlsplit(identity.broker_url)
    narrate(
        Step.ENDPOINTS_NOTED,
        control_plane=identity.control_plane_url,
        broker=f"{broker.scheme}://{broker.hostname}:{broker.port}",
    )


def _s_mode() -> str:
    """Whether Windows runs only what its store has signed; other systems have no such mode."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415  only Windows has it

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CODE_INTEGRITY_KEY) as key:
                required, _type = winreg.QueryValueEx(key, "SkuPolicyRequired")
        except FileNotFoundError:
            required = 0
        return "the device is in S mode" if required else "the device is not in S mode"
    return f"{sys.platform} has none"
