"""Secrets for installers: how they are named, how large they are, and how a command gets them."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from contract.documents import Fragment

#: A secret's name; it has no blanks, so that what a seal is bound to reads in one way only.
SECRET_NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,98}[A-Za-z0-9]$"  # noqa: S105  the form of a name
_VARIABLE_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
#: A plain file name: nothing that leads out of a folder.
_FILE_NAME_PATTERN: Final = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$"

#: The variable that names the folder in which a command finds the secrets it is given as files.
SECRETS_FOLDER_VARIABLE: Final = "OUTRIDER_SECRETS_DIR"
_OWN_VARIABLES: Final = "OUTRIDER_"

#: The secrets of one app.
MAX_SECRETS: Final = 20

#: Shorter values cannot be struck out of logs without striking out ordinary words.
SHORTEST_SECRET_CHARACTERS: Final = 6
#: What a variable of Windows holds at most is 32,767 characters.
LONGEST_SECRET_CHARACTERS: Final = 32_000


def _not_the_agents_own(name: str) -> str:
    if name.upper().startswith(_OWN_VARIABLES):
        raise PydanticCustomError("own_variable", f"the agent sets variables that begin with {_OWN_VARIABLES} itself")
    return name


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("nul", "a NUL character can stand in no environment variable")
    return value


SecretName = Annotated[str, Field(pattern=SECRET_NAME_PATTERN)]
VariableName = Annotated[str, Field(pattern=_VARIABLE_PATTERN), AfterValidator(_not_the_agents_own)]
SecretFileName = Annotated[str, Field(pattern=_FILE_NAME_PATTERN)]
SecretValue = Annotated[
    str,
    Field(min_length=SHORTEST_SECRET_CHARACTERS, max_length=LONGEST_SECRET_CHARACTERS),
    AfterValidator(_without_nul),
]


class SecretUse(Fragment):
    """A secret that a command is given, by a variable or as a file; never as an argument, which everybody can read.

    Attributes:
        name: Which secret. Its value is never in a policy.
        env: The environment variable that holds it; None where it is a file.
        file: The file's name in the folder that `SECRETS_FOLDER_VARIABLE` names; None where it is a variable.
    """

    name: SecretName
    env: VariableName | None = None
    file: SecretFileName | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_one_way(self.env, self.file)
        return self


def require_one_way(env: str | None, file: str | None) -> None:
    """See that a secret is given in exactly one way.

    Raises:
        PydanticCustomError: It is given in none or in both.
    """
    if (env is None) == (file is None):
        raise PydanticCustomError("one_way", "expected either `env` or `file`")
