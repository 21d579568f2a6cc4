"""How long a wait really lasts while its clock is set forward and back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contract.report import NextAction, Wait, WaitReason

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOK_SECONDS = 60
DAY_SECONDS = 86_400


@dataclass
class Lasted:
    """A wait that is over.

    Attributes:
        seconds: How long it lasted.
        since_set_back: How long it lasted from the last time the clock was set back; all of it where it never was.
        forward: How much the clock was set forward meanwhile, in seconds.
    """

    seconds: int
    since_set_back: int
    forward: int


def _lasts(stated: int, jumps: dict[int, int]) -> Lasted:
    """Let a wait pass that is looked at every minute; the clock is set by so much at these seconds."""
    now, seconds, set_back_at, forward = START, 0, 0, 0
    wait = Wait(since=now, at=now + timedelta(seconds=stated), reason=WaitReason.RETRY_INTERVAL)
    looks = set(range(0, stated * (len(jumps) + 2) + LOOK_SECONDS, LOOK_SECONDS))
    for moment in sorted(looks | jumps.keys()):
        now += timedelta(seconds=moment - seconds)
        seconds = moment
        if moment in looks:
            wait = wait.as_of(now)
            if now >= wait.at:
                return Lasted(seconds, seconds - set_back_at, forward)
        jump = jumps.get(moment, 0)
        now += timedelta(seconds=jump)
        forward += max(jump, 0)
        set_back_at = moment if jump < 0 else set_back_at
    raise AssertionError(f"it still waits after {seconds} s: {wait}, {now}")


@given(
    stated=st.integers(0, 5000),
    jumps=st.dictionaries(st.integers(0, 5000), st.integers(-2 * DAY_SECONDS, 2 * DAY_SECONDS), max_size=4),
)
def test_a_wait_lasts_as_long_as_stated_from_the_last_setting_back_and_no_shorter_than_it_was_set_forward(
    stated: int, jumps: dict[int, int]
) -> None:
    lasted = _lasts(stated, jumps)
    assert lasted.since_set_back <= stated + 2 * LOOK_SECONDS
    assert lasted.seconds >= stated - lasted.forward


@given(ahead=st.integers(0, 10**9), left=st.integers(0, DAY_SECONDS), look=st.integers(0, DAY_SECONDS))
def test_all_moments_of_what_comes_next_move_together(ahead: int, left: int, look: int) -> None:
    since = START + timedelta(seconds=ahead)
    action = NextAction(
        since=since,
        at=since + timedelta(seconds=left),
        reason=WaitReason.GRS,
        generation=1,
        attempt=4,
        looks_again_at=since + timedelta(seconds=look),
    )
    standing = action.as_of(START)
    assert (standing.since, standing.at - START) == (START, timedelta(seconds=left))
    assert standing.looks_again_at == START + timedelta(seconds=look)


def test_a_wait_that_has_begun_is_left_alone() -> None:
    wait = Wait(since=START, at=START + timedelta(days=1), reason=WaitReason.GRS)
    assert wait.as_of(START + timedelta(hours=3)) == wait
