"""A file that appears whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.intunewin.failures import writing

#: What is being written carries this prefix; a build never packs it.
PARTIAL_PREFIX = ".outrider-partial-"


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Open a private file beside `target` that takes its place when the block ends well and vanishes otherwise.

    Raises:
        PackageError: PACKAGE_WRITE_FAILED where the folder refuses.
    """
    with writing(target):
        descriptor, name = tempfile.mkstemp(prefix=PARTIAL_PREFIX, dir=target.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            with writing(target):
                file.flush()
                os.fsync(file.fileno())
        with writing(target):
            partial.chmod(_usual_mode())
            partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _usual_mode() -> int:
    """The mode a plainly opened file gets; the private file was made for its owner alone."""
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
