"""Where `outrider login` keeps what it was told: the address in a file, the token in the keyring if there is one."""

import json
import os
from pathlib import Path
from typing import Final

import keyring
import platformdirs
from keyring.errors import KeyringError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError

_SERVICE: Final = "outrider"
_ONLY_OWNER: Final = 0o600
_ONLY_OWNER_DIRECTORY: Final = 0o700


class Login(BaseModel):
    """A kept login.

    Attributes:
        url: The control plane's address.
        token: The operator's token; None in the file where the keyring has it.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    token: str | None = Field(default=None, repr=False)


class LoginStore:
    """The one login of this user."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def default(cls) -> "LoginStore":
        """Where this user's programs keep their settings."""
        return cls(platformdirs.user_config_path("outrider", appauthor=False) / "login.json")

    def keep(self, url: str, token: str) -> str:
        """Keep a login in place of the one before.

        Returns:
            Where the token is, in words.
        """
        self.forget()
        in_keyring = _to_keyring(url, token)
        login = Login(url=url, token=None if in_keyring else token)
        self._path.parent.mkdir(mode=_ONLY_OWNER_DIRECTORY, parents=True, exist_ok=True)
        draft = self._path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(login.model_dump(exclude_none=True), file)
        draft.replace(self._path)
        return "the system's keyring" if in_keyring else str(self._path)

    def load(self) -> Login | None:
        """The kept login with its token; None where nobody is logged in.

        Raises:
            InputError: The file is damaged, or the keyring no longer has the token.
        """
        try:
            login = Login.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            detail = "run `outrider logout`, then `outrider login URL`"
            raise InputError(ErrorCode.DOCUMENT_INVALID, place=str(self._path), detail=detail) from error
        token = login.token or _from_keyring(login.url)
        if token is None:
            raise InputError(ErrorCode.NOT_LOGGED_IN, place=login.url, detail="the keyring does not have the token")
        return Login(url=login.url, token=token)

    def forget(self) -> bool:
        """Remove the login.

        Returns:
            Whether there was one.
        """
        try:
            url = Login.model_validate_json(self._path.read_bytes()).url
        except FileNotFoundError:
            return False
        except ValidationError:
            url = ""
        _drop_from_keyring(url)
        self._path.unlink(missing_ok=True)
        return True


def _to_keyring(url: str, token: str) -> bool:
    """Whether the keyring took it: some backends take everything and keep nothing."""
    try:
        keyring.set_password(_SERVICE, url, token)
    except KeyringError:
        return False
    return _from_keyring(url) == token


def _from_keyring(url: str) -> str | None:
    try:
        return keyring.get_password(_SERVICE, url)
    except KeyringError:
        return None


def _drop_from_keyring(url: str) -> None:
    try:
        if keyring.get_password(_SERVICE, url) is not None:
            keyring.delete_password(_SERVICE, url)
    except KeyringError:
        # Without a keyring there is nothing in it.
        return
