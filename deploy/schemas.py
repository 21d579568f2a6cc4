"""Writes docs/schemas/ from the models of the documents: `python -m deploy.schemas`."""

import json
from pathlib import Path

from control.desired.schemas import MODELS, schema_of

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def render() -> dict[Path, str]:
    """The text of each file."""
    return {
        FOLDER / f"{kind.lower()}.json": json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"
        for kind in MODELS
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in render().items():
        path.write_text(text, encoding="utf-8")
