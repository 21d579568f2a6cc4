"""The orders in which dpkg and rpm put versions, as keys that Python can compare.

Both are defined by what the managers do: deb-version(7) and rpm-version(7). The tests ask the managers themselves.
"""

import re
from collections.abc import Sequence
from functools import cmp_to_key
from itertools import zip_longest
from typing import Any

from worker.judgement.compare import NotOfTypeError
from worker.judgement.verdict import shortened

#: What sorts the versions of one manager; keys of two managers do not compare.
Key = Any

#: A word of a Debian version, each character by its rank, and the number behind it.
_Part = tuple[tuple[int, ...], int]

#: Only a version with an epoch may have further colons, only one with a revision further hyphens (deb-version(7)).
_DEBIAN = re.compile(
    r"(?!.*-$)(?:(?P<epoch>[0-9]+):)?(?P<upstream>(?(epoch)[A-Za-z0-9.+~:-]|[A-Za-z0-9.+~-])+?)"
    r"(?:-(?P<revision>[A-Za-z0-9.+~]+))?"
)
_RPM = re.compile(r"(?:(?P<epoch>[0-9]+):)?(?P<version>[A-Za-z0-9._+~^]+)(?:-(?P<release>[A-Za-z0-9._+~^]+))?")

_WORD_AND_NUMBER = re.compile(r"([^0-9]*)([0-9]*)")
_RPM_PART = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")
#: Nobody writes longer versions; Python refuses to read numbers of more than 4,300 digits.
_MAX_CHARACTERS = 1000

#: dpkg puts letters before everything else that is no digit, and the end of a part between a tilde and both.
_TILDE = -1
_END = 0
_AFTER_LETTERS = 256
_NOTHING: _Part = ((_END,), 0)

#: rpm's order of what may come next in a version.
_RPM_TILDE, _RPM_END, _RPM_CARET, _RPM_WORD, _RPM_NUMBER = range(5)


def as_debian_version(text: str) -> Key:
    """A version of dpkg's: epoch, upstream version, revision.

    Raises:
        NotOfTypeError: dpkg would not take it for a version.
    """
    found = _matched(_DEBIAN, text, "Debian")
    parts = [_debian_parts(found["upstream"]), _debian_parts(found["revision"] or "")]
    return int(found["epoch"] or 0), *map(cmp_to_key(_compare_debian), parts)


def as_rpm_version(text: str) -> Key:
    """A version of rpm's: epoch, version, release; without a release it has no third part.

    Raises:
        NotOfTypeError: rpm would not take it for a version.
    """
    found = _matched(_RPM, text, "RPM")
    release = found["release"]
    key = int(found["epoch"] or 0), _rpm_part(found["version"])
    return key if release is None else (*key, _rpm_part(release))


def as_rpm_version_of_any_release(text: str) -> Key:
    """A version of rpm's less its release, as rpm compares it with one that states no release.

    Raises:
        NotOfTypeError: rpm would not take it for a version.
    """
    epoch, version, *_ = as_rpm_version(text)
    return epoch, version


def _matched(pattern: re.Pattern[str], text: str, whose: str) -> re.Match[str]:
    found = pattern.fullmatch(text.strip()) if len(text) <= _MAX_CHARACTERS else None
    if found is None:
        raise NotOfTypeError(f"{shortened(text)!r}, which is no {whose} version")
    return found


def _debian_parts(text: str) -> Sequence[_Part]:
    """Words and numbers in turn."""
    return [(_debian_word(word), int(number or 0)) for word, number in _WORD_AND_NUMBER.findall(text)]


def _compare_debian(left: Sequence[_Part], right: Sequence[_Part]) -> int:
    """What has ended goes on as nothing: 1. equals 1.0, and 1 is newer than 1.0~."""
    for one, other in zip_longest(left, right, fillvalue=_NOTHING):
        if one != other:
            return -1 if one < other else 1
    return 0


def _debian_word(word: str) -> tuple[int, ...]:
    return (*(_debian_order(character) for character in word), _END)


def _debian_order(character: str) -> int:
    if character == "~":
        return _TILDE
    return ord(character) if character.isalpha() else ord(character) + _AFTER_LETTERS


def _rpm_part(text: str) -> Key:
    """Numbers and words; what separates them does not count."""
    return (*(_rpm_order(part) for part in _RPM_PART.findall(text)), (_RPM_END,))


def _rpm_order(part: str) -> Key:
    if part == "~":
        return (_RPM_TILDE,)
    if part == "^":
        return (_RPM_CARET,)
    return (_RPM_NUMBER, int(part)) if part.isdigit() else (_RPM_WORD, part)
