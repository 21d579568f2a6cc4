"""What of a policy, or of a manifest, can be judged on a device, read from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from contract.documents import Fragment
from contract.envelopes import SignedEnvelope
from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from contract.policy import InstallExperience, Requirements
from contract.rules import Rule, RunAsAccount
from contract.uplink import MAX_BODY_BYTES

#: What tells a policy from a manifest.
_ONLY_IN_POLICIES = {"app_id", "app_name", "requirements"}

#: A manifest's words for what a policy calls otherwise, without regard to case and underscores.
_OF_MANIFEST = {
    "requirementrules": "rules",
    "applicablearchitectures": "architectures",
    "operatingsystems": "operating_systems",
    "minimumosrelease": "minimum_os_release",
    "minimumfreediskspaceinmb": "minimum_free_disk_space_in_mb",
    "minimummemoryinmb": "minimum_memory_in_mb",
    "minimumnumberofprocessors": "minimum_number_of_processors",
    "minimumcpuspeedinmhz": "minimum_cpu_speed_in_mhz",
}


class JudgedPolicy(Fragment):
    """The part of a policy that a device's judgement is about; a policy's other fields are passed over.

    Attributes:
        app_name: For people; may be empty in a file written by hand.
    """

    app_name: str = ""
    detection_rules: tuple[Rule, ...] = Field(min_length=1)
    requirements: Requirements = Requirements()
    install_experience: InstallExperience = InstallExperience()

    @property
    def account(self) -> RunAsAccount:
        """In whose name the app's commands run."""
        return self.install_experience.run_as_account


def read_policy_file(path: Path) -> JudgedPolicy:
    """What there is to judge in a file: a signed policy, a policy, or a manifest, as JSON or YAML.

    A signature is not checked: nothing is installed.

    Raises:
        InputError: DOCUMENT_INVALID: the file cannot be read.
        DocumentError: It is none of these.
    """
    data = _parsed(_text(path), path)
    if {"payload", "signatures"} <= data.keys():
        data = _parsed(_payload(data, path), path)
    try:
        return JudgedPolicy.model_validate(data if data.keys() & _ONLY_IN_POLICIES else _from_manifest(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _invalid(path, f"{place}: {first['msg']}") from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BODY_BYTES:
            raise _invalid(path, f"larger than {MAX_BODY_BYTES} bytes")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        detail = f"cannot be read: {error.strerror}"
        raise InputError(ErrorCode.DOCUMENT_INVALID, detail=detail, place=str(path)) from error
    except UnicodeDecodeError as error:
        raise _invalid(path, "is not UTF-8 text") from error


def _parsed(text: str | bytes, path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid(path, f"is neither JSON nor YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise _invalid(path, f"expected a policy with detection rules, found {type(data).__name__}")
    return dict(data)


def _payload(data: Mapping[str, Any], path: Path) -> bytes:
    try:
        return SignedEnvelope.model_validate(data).payload
    except ValidationError as error:
        raise _invalid(path, f"looks like a signed policy, but is none: {error.errors()[0]['msg']}") from error


def _from_manifest(data: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest's fields where a policy has them; rules are written the same in both."""
    plain = {name.replace("_", "").casefold(): value for name, value in data.items()}
    policy: dict[str, Any] = {
        "app_name": plain.get("name", ""),
        "requirements": {own: plain[name] for name, own in _OF_MANIFEST.items() if name in plain},
        "install_experience": _experience(plain.get("installexperience")),
    }
    return policy | ({"detection_rules": plain["detectionrules"]} if "detectionrules" in plain else {})


def _experience(stated: object) -> dict[str, Any]:
    """In whose name the commands run; the rest of it is not judged."""
    if not isinstance(stated, Mapping):
        return {}
    accounts = [stated[name] for name in ("runAsAccount", "run_as_account") if name in stated]
    return {"run_as_account": accounts[0]} if accounts else {}


def _invalid(path: Path, detail: str) -> DocumentError:
    return DocumentError(ErrorCode.DOCUMENT_INVALID, detail=detail, place=str(path))
