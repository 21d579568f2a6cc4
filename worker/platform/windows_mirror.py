"""States of apps in the registry, where tools look for them (behaviour 2.6, R-02 to R-04)."""

import contextlib
import json
import sys
import winreg
from collections.abc import Iterator
from datetime import UTC, datetime

import structlog

from worker.app_state import AppState

assert sys.platform == "win32"

_log = structlog.get_logger(__name__)

#: The original keeps apps by user; all that this agent installs, it installs for the device.
_DEVICE = "00000000-0000-0000-0000-000000000000"
APPS_KEY = f"SOFTWARE\\Outrider\\Win32Apps\\{_DEVICE}"
GRS_KEY = f"{APPS_KEY}\\GRS"
_ACCESS = winreg.KEY_READ | winreg.KEY_WRITE | winreg.KEY_WOW64_64KEY
#: In UTC, as the original writes it.
_TIME = "%m/%d/%Y %H:%M:%S"


class RegistryMirror:
    """Each app's state under HKEY_LOCAL_MACHINE, in the 64-bit view, laid out as the original's."""

    def put(self, state: AppState) -> None:
        """See `StateMirror.put`."""
        try:
            _forget_other_revisions(state)
            _write_state(state)
            _write_grs(state)
        except OSError as error:
            _log.warning("the registry does not take the app's state", app=state.app_name, reason=str(error))


def _write_state(state: AppState) -> None:
    own = f"{APPS_KEY}\\{_name(state)}"
    values = {
        "ExitCode": None if state.raw_exit_code is None else state.raw_exit_code & 0xFFFF_FFFF,
        "Intent": int(state.intent),
        "LastUpdatedTimeUtc": _moment(state.updated_at),
        "DownloadStartTimeUTC": _moment(state.download_started_at),
    }
    with _key(own) as key:
        for name, value in values.items():
            _set(key, name, value)
    for name, message in (("ComplianceStateMessage", state.compliance), ("EnforcementStateMessage", state.enforcement)):
        with _key(f"{own}\\{name}") as key:
            _set(key, name, json.dumps(message.original()))


def _write_grs(state: AppState) -> None:
    """Only the wait that is on: one of an older revision, or one that is over, keeps nothing back any more."""
    with _key(GRS_KEY) as hashes:
        for hash_ in list(_subkeys(hashes)):
            with _key(f"{GRS_KEY}\\{hash_}") as key:
                _set(key, state.app_id, None)
                is_empty = winreg.QueryInfoKey(key)[1] == 0
            if is_empty:
                winreg.DeleteKeyEx(hashes, hash_)
    if state.last_failed_enforcement is not None:
        with _key(f"{GRS_KEY}\\{state.grs_hash}") as key:
            _set(key, state.app_id, _moment(state.last_failed_enforcement))


def _forget_other_revisions(state: AppState) -> None:
    with _key(APPS_KEY) as apps:
        for name in list(_subkeys(apps)):
            app_id, _, revision = name.rpartition("_")
            if app_id == state.app_id and revision != str(state.revision):
                _delete_tree(apps, name)


def _delete_tree(parent: winreg.HKEYType, name: str) -> None:
    with winreg.OpenKeyEx(parent, name, access=_ACCESS) as key:
        for below in list(_subkeys(key)):
            _delete_tree(key, below)
    winreg.DeleteKeyEx(parent, name)


def _key(path: str) -> winreg.HKEYType:
    return winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, path, access=_ACCESS)


def _subkeys(key: winreg.HKEYType) -> Iterator[str]:
    for index in range(winreg.QueryInfoKey(key)[0]):
        yield winreg.EnumKey(key, index)


def _set(key: winreg.HKEYType, name: str, value: str | int | None) -> None:
    if value is None:
        with contextlib.suppress(FileNotFoundError):
            winreg.DeleteValue(key, name)
        return
    winreg.SetValueEx(key, name, 0, winreg.REG_DWORD if isinstance(value, int) else winreg.REG_SZ, value)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime(_TIME)


def _name(state: AppState) -> str:
    return f"{state.app_id}_{state.revision}"
