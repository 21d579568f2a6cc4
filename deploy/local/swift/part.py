"""The embedded content store as a part of the stack."""

import errno
import getpass
import sys
from datetime import timedelta
from pathlib import Path

import xattr

from contract.error_codes import ErrorCode
from contract.errors import InputError
from deploy.local.part import Part
from deploy.local.ports import HOST
from deploy.local.readiness import AnswersHttp
from deploy.local.secret_values import StackSecrets
from deploy.local.swift.layout import SwiftSettings, write_configuration

#: Swift keeps an object's metadata there; ext4 gives 4 KiB, and an object of ours needs less.
_PROBE_NAME = "user.outrider.probe"
_PROBE_BYTES = 2048
#: What systems say where a file system has no such attributes, or no room for them.
_UNSUITABLE = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSPC, errno.EPERM, errno.E2BIG})


def store_part(folder: Path, port: int, secrets: StackSecrets, region: str, *, name: str = "store") -> Part:
    """Write the store's configuration below `folder` and say how to run it.

    Raises:
        InputError: The folder's file system cannot hold what Swift attaches to files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    check_attributes(folder)
    settings = SwiftSettings(
        folder=folder,
        host=HOST,
        port=port,
        user=getpass.getuser(),
        region=region,
        secret_key=secrets.store_key,
        hash_suffix=secrets.store_hash_suffix,
    )
    write_configuration(settings)
    return Part(
        name=name,
        command=(sys.executable, "-m", "deploy.local.swift.server", str(folder), str(port)),
        ready=AnswersHttp(port=port, path="/healthcheck"),
        start_timeout=timedelta(seconds=30),
    )


def check_attributes(folder: Path) -> None:
    """Try to attach to a file what Swift attaches to each.

    Raises:
        InputError: The file system refuses.
    """
    probe = folder / ".probe"
    probe.touch()
    try:
        xattr.setxattr(str(probe), _PROBE_NAME, b"0" * _PROBE_BYTES)
    except OSError as error:
        if error.errno not in _UNSUITABLE:
            raise
        detail = f"User extended attributes do not work there: {error.strerror}."
        raise InputError(ErrorCode.STACK_FOLDER_UNSUITABLE, place=str(folder), detail=detail) from error
    finally:
        probe.unlink()
