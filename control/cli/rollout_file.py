"""A rollout's rings, gates, limits and windows in a YAML file."""

from pathlib import Path
from typing import Final

import yaml

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.cli.rollout_words import checked_spec
from control.rollouts.spec import RolloutSpec

#: Rings fit on a page.
_MAX_BYTES: Final = 64 * 1024


def read_spec(path: Path, *, alone: bool = True) -> RolloutSpec:
    """The rollout in a file.

    Args:
        path: The file.
        alone: Whether nothing else was said on the command line.

    Raises:
        InputError: ROLLOUT_INVALID: it cannot be read, says something else, or is not alone.
    """
    if not alone:
        raise _invalid(path, "expected either a file or options, found both")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _invalid(path, f"larger than {_MAX_BYTES} bytes")
        data = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _invalid(path, f"cannot be read: {error}") from error
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid(path, f"is not YAML: {' '.join(str(error).split())}") from error
    return checked_spec(data, str(path))


def _invalid(path: Path, detail: str) -> InputError:
    return InputError(ErrorCode.ROLLOUT_INVALID, place=str(path), detail=detail)
