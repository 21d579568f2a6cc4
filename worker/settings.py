"""The agent's configuration: one frozen object, read from the environment once."""

import os
import sys
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from contract.error_codes import ErrorCode
from contract.errors import InputError

#: Each platform has its own habits.
_FOLDER_NAME = "Outrider" if sys.platform == "win32" else "outrider-agent"

#: What the names of all variables begin with.
_PREFIX: Final = "OUTRIDER_AGENT_"


def _usual_folder() -> Path:
    import platformdirs  # noqa: PLC0415  a service says where its folder is

    return platformdirs.site_data_path(_FOLDER_NAME, appauthor=False)


class AgentSettings(BaseModel):
    """What the agent is started with; each field is an environment variable `OUTRIDER_AGENT_<FIELD>`.

    How often and how long a job is tried is no setting of a device: those numbers come with each policy.

    Attributes:
        state_dir: The folder of everything the agent keeps: identity, ledger, content, logs.
        check_in_interval_seconds: Overrides the interval the control plane asks for (behaviour N-01, R-01).
        allow_insecure_api: Speak to a control plane on another machine without TLS.
        allow_insecure_broker: Take orders from a broker on another machine without TLS.
        connect_timeout_seconds: For reaching the control plane or the content store.
        read_timeout_seconds: For each silence while one of them answers.
        stop_limit_seconds: How long a stopping agent waits for the phase in progress; what a service manager allows
            has to be longer.
        may_restart: Whether the agent restarts the device when a restart that an app needs has come to its deadline.
        pass_environment: Names of the agent's own environment variables that installers and rule scripts may see,
            comma separated; they see no other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_dir: Path = Field(default_factory=_usual_folder)
    check_in_interval_seconds: float | None = Field(default=None, gt=0)
    allow_insecure_api: bool = False
    allow_insecure_broker: bool = False
    connect_timeout_seconds: float = Field(default=10, gt=0)
    read_timeout_seconds: float = Field(default=60, gt=0)
    stop_limit_seconds: float = Field(default=600, ge=0)
    may_restart: bool = False
    pass_environment: tuple[str, ...] = ()

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("pass_environment", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def load_settings(state_dir: Path | None = None) -> AgentSettings:
    """The settings from the environment, the folder from whoever asks where it is given.

    pydantic-settings would read them as well, and take 1.3 MB of every device for as long as it is up.

    Raises:
        InputError: Some make no sense; all of them are named.
    """
    given: dict[str, str | Path] = {
        name: os.environ[variable] for name in AgentSettings.model_fields if (variable := _variable(name)) in os.environ
    }
    if state_dir is not None:
        given["state_dir"] = state_dir
    try:
        return AgentSettings.model_validate(given)
    except ValidationError as error:
        named = ", ".join(f"{_variable(str(e['loc'][0]))}: {e['msg']}" for e in error.errors())
        raise InputError(ErrorCode.SETTINGS_INVALID, detail=named) from error


def _variable(field: str) -> str:
    return f"{_PREFIX}{field.upper()}"
