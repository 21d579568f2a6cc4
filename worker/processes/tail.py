"""The end of a file that may be large and may hold anything; NUL is left out, databases refuse it."""

from pathlib import Path


def tail(path: Path, max_bytes: int) -> str:
    """The last bytes of a file as text; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - max_bytes))
            return file.read(max_bytes).decode("utf-8", errors="replace").replace("\0", "")
    except FileNotFoundError:
        return ""
