"""A file that appears whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.intunewin.failures import writing

#: What is being written carries this prefix; a build never packs it.
PARTIAL_PREFIX = ".outrider-partial-"


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file beside `target` that takes its place when the block ends well and vanishes otherwise.

    Raises:
        PackageError: PACKAGE_WRITE_FAILED where the folder refuses.
    """
    partial = target.with_name(PARTIAL_PREFIX + secrets.token_hex(8))
    with writing(target):
        file = partial.open("xb+")
    try:
        with file:
            yield file
            with writing(target):
                file.flush()
                os.fsync(file.fileno())
        with writing(target):
            partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
