"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import InputError
from worker.folders import Folders
from worker.settings import load_settings

StateDir = Annotated[
    Path | None,
    typer.Option("--state-dir", help="The agent's folder; OUTRIDER_AGENT_STATE_DIR otherwise.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts instead of text for people.")]


def enrolled_folders(state_dir: Path | None) -> Folders:
    """The folders of a device that is enrolled.

    Raises:
        InputError: The settings make no sense, the device is not enrolled, or its folder is another user's.
    """
    folders = Folders(load_settings(state_dir).state_dir)
    if not folders.is_enrolled():
        raise InputError(ErrorCode.NOT_ENROLLED, place=str(folders.state))
    return folders
