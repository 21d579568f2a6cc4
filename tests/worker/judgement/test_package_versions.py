"""The managers themselves are asked where the machine has them."""

import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.judgement.compare import NotOfTypeError
from worker.judgement.package_versions import Key, as_debian_version, as_rpm_version, as_rpm_version_of_any_release

#: Each answer is a process; the machine that runs the tests should not be kept busy.
asking = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_PART = st.text("0123456789ab.+~", min_size=1, max_size=6)
DEBIAN = st.builds(
    lambda epoch, upstream, revision: epoch + upstream + revision,
    st.sampled_from(["", "0:", "1:"]),
    _PART.map(lambda text: "1" + text),
    st.just("") | _PART.map(lambda text: "-" + text),
)
RPM = st.text("0123456789abAB.~^_", min_size=1, max_size=8)


def _order(key: Key, other: Key) -> int:
    return int(key > other) - int(key < other)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="there is no dpkg to ask")
@asking
@given(DEBIAN, DEBIAN)
def test_debian_versions_order_as_dpkg_orders_them(left: str, right: str) -> None:
    how = {-1: "lt", 0: "eq", 1: "gt"}[_order(as_debian_version(left), as_debian_version(right))]
    assert subprocess.run(["dpkg", "--compare-versions", left, how, right], check=False).returncode == 0, how


@pytest.mark.skipif(shutil.which("rpm") is None, reason="there is no rpm to ask")
@asking
@given(RPM, RPM)
def test_rpm_versions_order_as_rpm_orders_them(left: str, right: str) -> None:
    lua = f'%{{lua:print(rpm.vercmp("{left}", "{right}"))}}'
    said = subprocess.run(["rpm", "--eval", lua], check=True, capture_output=True, text=True).stdout
    assert _order(as_rpm_version(left), as_rpm_version(right)) == int(said)


@pytest.mark.parametrize(
    "ascending",
    [
        ["1.0~~", "1.0~rc1", "1.0", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0+dfsg-1", "1.0.1", "1.9", "1.10", "1:0.1"],
        ["0", "a", "z", "+", "."],
        ["10-0~", "10", "10-0.1"],
    ],
)
def test_the_debian_order_by_example(ascending: list[str]) -> None:
    keys = [as_debian_version(version) for version in ascending]
    assert all(older < newer for older, newer in pairwise(keys))


def test_the_rpm_order_by_example() -> None:
    ascending = ["1.0~rc1-1", "1.0-1", "1.0-2", "1.0^git1-1", "1.0a-1", "1.0.1-1", "1.10-1", "1:0.1-1"]
    keys = [as_rpm_version(version) for version in ascending]
    assert all(older < newer for older, newer in pairwise(keys))


@pytest.mark.parametrize(("left", "right"), [("1", "0:1"), ("1.", "1.0"), ("1.0-0", "1.0"), ("1.01", "1.1")])
def test_debian_versions_that_are_the_same(left: str, right: str) -> None:
    assert as_debian_version(left) == as_debian_version(right)


@pytest.mark.parametrize(("left", "right"), [("1", "0:1"), ("1.0", "1_0"), ("1.01", "1.1"), ("a1", "a.1")])
def test_rpm_versions_that_are_the_same(left: str, right: str) -> None:
    assert as_rpm_version(left) == as_rpm_version(right)


def test_a_release_does_not_count_where_none_is_stated() -> None:
    assert as_rpm_version_of_any_release("0:1.0-7.el9") == as_rpm_version_of_any_release("1.0")


@pytest.mark.parametrize("text", ["", "a b", "x:1", "1_0", "1-", "9" * 2000])
def test_what_is_no_debian_version_is_refused(text: str) -> None:
    with pytest.raises(NotOfTypeError):
        as_debian_version(text)


@pytest.mark.parametrize("text", ["", "a b", "x:1", "1-2-3", "9" * 2000])
def test_what_is_no_rpm_version_is_refused(text: str) -> None:
    with pytest.raises(NotOfTypeError):
        as_rpm_version(text)


@given(st.lists(DEBIAN, min_size=3, max_size=3))
def test_the_debian_order_is_total(versions: list[str]) -> None:
    low, middle, high = sorted(map(as_debian_version, versions))
    assert low <= middle <= high
    assert (low < high) + (low == high) + (low > high) == 1
