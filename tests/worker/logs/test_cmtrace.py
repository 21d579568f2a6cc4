import logging
import re
from datetime import UTC, datetime

import pytest

from worker.logs.cmtrace import MAX_MESSAGE_CHARACTERS, Gravity, envelope, gravity

AT = datetime(2026, 3, 9, 4, 5, 6, 70, tzinfo=UTC)
#: The pattern that fits every record of the original's logs that was seen (behaviour 2.1).
STRICT = re.compile(
    r'<!\[LOG\[(?P<m>[\s\S]*?)\]LOG\]!><time="(?P<t>\d\d:\d\d:\d\d\.\d{7})" date="(?P<d>\d{1,2}-\d{1,2}-\d{4})" '
    r'component="(?P<c>[^"]*)" context="(?P<x>[^"]*)" type="(?P<y>[0-3])" thread="(?P<h>\d+)" file="(?P<f>[^"]*)">'
)


def _envelope(message: str) -> str:
    return envelope(message, at=AT, component="ManagementExtension", kind=Gravity.INFO, thread=7)


def test_a_record_is_the_originals_byte_for_byte() -> None:
    assert _envelope("EMS Agent Started") == (
        '<![LOG[EMS Agent Started]LOG]!><time="04:05:06.0000700" date="3-9-2026" component="ManagementExtension" '
        'context="" type="1" thread="7" file="">'
    )


@pytest.mark.parametrize(
    "message", ["", "two\nlines", "two\r\nlines", 'quotes " and <tags>', "Grüße, 世界 🎉", "[[LOG]]", "<![LOG[inner"]
)
def test_any_message_comes_out_as_it_went_in(message: str) -> None:
    (found,) = STRICT.finditer(_envelope(message))
    assert found["m"] == message


def test_a_message_cannot_end_its_own_record() -> None:
    inner = _envelope("forged")
    assert len(STRICT.findall(_envelope(inner))) == 1


def test_a_message_without_end_is_cut_and_says_so() -> None:
    (found,) = STRICT.finditer(_envelope("x" * (MAX_MESSAGE_CHARACTERS + 5)))
    assert found["m"].endswith("x... (5 more characters)")


@pytest.mark.parametrize(
    ("level", "kind"), [(logging.DEBUG, 1), (logging.INFO, 1), (logging.WARNING, 2), (logging.ERROR, 3), (50, 3)]
)
def test_the_type_follows_the_level(level: int, kind: int) -> None:
    assert gravity(level) == kind
