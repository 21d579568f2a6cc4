"""Writes docs/errors.md from the error table: `python -m deploy.errors_page`."""

from pathlib import Path

from contract.error_codes import OWN_CODES, ErrorCode, signed

PAGE = Path(__file__).resolve().parent.parent / "docs" / "errors.md"

_HEAD = f"""\
# Errors

One error, one meaning, one phase. Numbers of the original are kept; numbers from `{OWN_CODES:#010X}` up are ours;
errors that no device reports have a name only. An installer's exit code that the app's return codes do not list becomes
`0x80070000 | (code & 0xFFFF)`, and the raw exit code stands beside it everywhere.

This page is written by `python -m deploy.errors_page` from `contract/error_codes.py`.

| error | code | signed | phase | what happened | what to do | can a retry help |
|---|---|---|---|---|---|---|
"""


def render() -> str:
    """The page's text."""
    return _HEAD + "".join(f"{_row(code)}\n" for code in ErrorCode)


def _row(code: ErrorCode) -> str:
    number, signed_number = ("", "") if code.number is None else (f"`0x{code.number:08X}`", str(signed(code.number)))
    cells = (
        f"`{code.slug}`",
        number,
        signed_number,
        code.phase.value if code.phase else "any" if code.number else "",
        code.sentence,
        code.hint,
        "yes" if code.retry_helps else "no",
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
