import json
from typing import Any

import pytest

from deploy.supply_chain.audit import Verdict, verdict
from deploy.supply_chain.lock_file import Finding, Locked
from deploy.supply_chain.vulnerabilities import Answer, understand

_LOCKED = [Locked("a", "1"), Locked("b", "1")]


def _output(*entries: dict[str, Any]) -> str:
    return json.dumps({"dependencies": entries, "fixes": []})


def _clean(name: str) -> dict[str, Any]:
    return {"name": name, "version": "1", "vulns": []}


def test_an_answer_about_all_of_them_is_clean() -> None:
    answer = understand(_LOCKED, _output(_clean("A"), _clean("b")))
    assert answer == Answer((), ())
    assert verdict([], answer) is Verdict.CLEAN


def test_what_is_known_is_named_with_its_remedy() -> None:
    hit = {"name": "b", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}, {"id": "X-2"}]}
    answer = understand(_LOCKED, _output(_clean("a"), hit))
    assert [finding.words for finding in answer.known] == ["PYSEC-1, fixed in 1.1", "X-2, fixed in no version yet"]
    assert verdict([], answer) is Verdict.FOUND


def test_a_version_the_service_does_not_know_counts_as_not_audited() -> None:
    answer = understand(_LOCKED, _output(_clean("a"), {"name": "b", "skip_reason": "not found"}))
    assert (answer.unasked, answer.reason) == (("b",), "not found")
    assert verdict([], answer) is Verdict.UNPROVEN


def test_silence_about_a_version_counts_as_not_audited() -> None:
    assert understand(_LOCKED, _output(_clean("a"))).unasked == ("b",)


@pytest.mark.parametrize("output", [None, "", "no JSON", "[]", "{}"])
def test_a_failure_to_ask_is_never_green(output: str | None) -> None:
    answer = understand(_LOCKED, output, "first\nno route to host\n")
    assert (answer.unasked, answer.reason) == (("a", "b"), "no route to host")
    assert verdict([], answer) is Verdict.UNPROVEN


def test_a_finding_weighs_more_than_a_missing_answer() -> None:
    assert verdict([Finding("lock:1", "no hash")], understand(_LOCKED, None)) is Verdict.FOUND
