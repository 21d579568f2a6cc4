"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError
from worker.folders import Folders
from worker.settings import AgentSettings

StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="The agent's folder; OUTRIDER_AGENT_STATE_DIR otherwise.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")]


def load_settings(state_dir: Path | None) -> AgentSettings:
    """The settings from the environment, the folder from the command line where it is given.

    Raises:
        InputError: Some make no sense; all of them are named.
    """
    try:
        return AgentSettings() if state_dir is None else AgentSettings(state_dir=state_dir)
    except ValidationError as error:
        named = ", ".join(f"OUTRIDER_AGENT_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise InputError(ErrorCode.SETTINGS_INVALID, detail=named) from error


def enrolled_folders(state_dir: Path | None) -> Folders:
    """The folders of a device that is enrolled.

    Raises:
        InputError: The settings make no sense, or the device is not enrolled.
    """
    folders = Folders(load_settings(state_dir).state_dir)
    if not folders.identity.exists():
        raise InputError(ErrorCode.NOT_ENROLLED, place=str(folders.state))
    return folders
