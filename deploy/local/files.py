"""Files that only their owner may read, replaced whole."""

import os
from pathlib import Path

_OWNER_READS_AND_WRITES = 0o600
_OWNER_RUNS = 0o700


def write_private(path: Path, text: str, *, executable: bool = False) -> None:
    """Put `text` in place of what `path` held; readers see the old text or the new, nobody else sees either."""
    mode = _OWNER_RUNS if executable else _OWNER_READS_AND_WRITES
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
