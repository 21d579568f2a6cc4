"""Windows."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pywintypes
import tzlocal
import win32ts
from typing_extensions import override

from contract.rules import FileRule, ProductCodeRule, RegistryRule, Rule, RunAsAccount, ScriptRule
from worker.platform import windows_files, windows_installer, windows_registry, windows_trust
from worker.platform.generic import GenericPlatform, why_no_program
from worker.platform.port import FileFacts, Hive, RegistryKey, RegistryValue, UnanswerableError, View
from worker.platform.windows_powershell import powershell

assert sys.platform == "win32"

#: Variables whose folder is another one for 32-bit programs, with the variable that names it; a 32-bit Windows has
#: neither of the others.
_BY_VIEW = {
    "PROGRAMFILES": {View.NATIVE: "PROGRAMW6432", View.BITS_32: "PROGRAMFILES(X86)"},
    "COMMONPROGRAMFILES": {View.NATIVE: "COMMONPROGRAMW6432", View.BITS_32: "COMMONPROGRAMFILES(X86)"},
}

_FIRMWARE = RegistryKey(Hive.LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\BIOS")


class WindowsPlatform(GenericPlatform):
    """The registry, Windows Installer, version resources and PowerShell beside what plain Python answers."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__("windows", state_dir)

    @override
    def os_version(self) -> str:
        """The true numbers, such as `10.0.19045`, whatever a compatibility setting pretends."""
        return ".".join(str(number) for number in sys.getwindowsversion().platform_version)

    @override
    def time_zone(self) -> str:
        return tzlocal.get_localzone_name()

    @override
    def manufacturer(self) -> str:
        return _firmware_text("SystemManufacturer")

    @override
    def model(self) -> str:
        return _firmware_text("SystemProductName")

    @override
    def variable(self, name: str, view: View) -> str:
        upper = name.upper()
        by_view = _BY_VIEW.get(upper, {}).get(view)
        return (os.environ.get(by_view) if by_view else None) or os.environ[upper]

    @override
    def file_facts(self, path: Path) -> FileFacts | None:
        facts = super().file_facts(path)
        if facts is None or facts.size is None:
            return facts
        return FileFacts(facts.size, facts.modified_at, facts.created_at, windows_files.file_version(path))

    @override
    def created_at(self, path: Path, stat: os.stat_result) -> datetime | None:
        return datetime.fromtimestamp(getattr(stat, "st_birthtime", stat.st_ctime), UTC)

    @override
    def has_registry_key(self, key: RegistryKey) -> bool:
        return windows_registry.has_key(key)

    @override
    def registry_value(self, key: RegistryKey, name: str) -> RegistryValue | None:
        return windows_registry.value_of(key, name)

    @override
    def product_version(self, product_code: str) -> str | None:
        return windows_installer.product_version(product_code)

    @override
    def process_names(self) -> frozenset[str]:
        """In one reading, of other accounts' programs, too; psutil would open each process."""
        try:
            # The stubs take a row for a text; it is session, number, name and account.
            running = cast("Any", win32ts).WTSEnumerateProcesses(win32ts.WTS_CURRENT_SERVER_HANDLE)
        except pywintypes.error as error:
            raise OSError(None, error.strerror, None, error.winerror) from error
        return frozenset(name for _, _, name, _ in running if name)

    @override
    def script_interpreter(self, view: View = View.NATIVE) -> tuple[str, ...]:
        found = powershell(view)
        if found is None:
            raise UnanswerableError(_no_powershell(view))
        return found

    @override
    def why_untrusted(self, script: Path) -> str:
        # What Windows needs to find the signature in a script comes with PowerShell.
        self.script_interpreter()
        return windows_trust.why_untrusted(script)

    @override
    def why_unanswerable(self, rule: Rule) -> str:
        if isinstance(rule, RegistryRule | ProductCodeRule):
            return ""
        return super().why_unanswerable(rule)

    @override
    def why_file_unanswerable(self, rule: FileRule) -> str:
        return ""

    @override
    def why_script_unanswerable(self, rule: ScriptRule) -> str:
        if rule.run_as_account is RunAsAccount.USER:
            return "this agent runs scripts in its own name only"
        if rule.interpreter:
            return why_no_program(rule.interpreter[0])
        view = View.BITS_32 if rule.run_as32_bit else View.NATIVE
        return "" if powershell(view) else _no_powershell(view)


def _firmware_text(name: str) -> str:
    """What the firmware says under this name; empty where it says nothing or may not be asked."""
    try:
        value = windows_registry.value_of(_FIRMWARE, name)
    except OSError:
        return ""
    return value.strip() if isinstance(value, str) else ""


def _no_powershell(view: View) -> str:
    return f"this Windows has no {view} PowerShell"
