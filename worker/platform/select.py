"""Which platform this is."""

import platform
import sys
from pathlib import Path

from worker.platform.generic import GenericPlatform
from worker.platform.linux import LinuxPlatform
from worker.platform.port import Platform
from worker.state_mirror import NoStateMirror, StateMirror

_OS_NAMES = {"darwin": "macos"}


def this_platform(state_dir: Path) -> Platform:
    """The platform the agent runs on."""
    name = platform.system().lower()
    if sys.platform == "win32":
        from worker.platform.windows import WindowsPlatform  # noqa: PLC0415  it can be loaded on Windows only

        return WindowsPlatform(state_dir)
    if name == "linux":
        return LinuxPlatform(state_dir)
    return GenericPlatform(_OS_NAMES.get(name, name), state_dir)


def this_state_mirror() -> StateMirror:
    """Where this platform's tools look for states of apps."""
    if sys.platform == "win32":
        from worker.platform.windows_mirror import RegistryMirror  # noqa: PLC0415  it can be loaded on Windows only

        return RegistryMirror()
    return NoStateMirror()
