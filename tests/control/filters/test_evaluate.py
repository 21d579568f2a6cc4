from typing import Any

import pytest
from hypothesis import given

from control.database.tables import Device
from control.filters.evaluate import explain, matches
from control.filters.facts import facts_of
from control.filters.parse import parse_rule
from control.filters.properties import Property
from control.filters.rule import Rule
from tests.control.filters.rules import facts, oracle, rules


@given(rules, facts)
def test_a_rule_holds_exactly_where_brute_force_says_so(rule: Rule, given_facts: dict[Property, str | None]) -> None:
    assert matches(rule, given_facts) == oracle(rule, given_facts)


@given(rules, facts)
def test_every_comparison_is_explained_with_the_verdict_it_has_alone(
    rule: Rule, given_facts: dict[Property, str | None]
) -> None:
    for verdict in explain(rule, given_facts):
        assert verdict.holds == matches(parse_rule(verdict.term), given_facts)


@pytest.mark.behaviour("2.8 assignment filter")
@pytest.mark.parametrize(
    ("rule", "site", "version", "expected"),
    [
        ('site -eq "berlin"', "Berlin", None, True),
        ('site -eq "berlin"', "  Berlin ", None, True),
        ('site -ne "berlin"', "Berlin", None, False),
        ('site -ne "berlin"', None, None, True),
        ('site -startsWith "BER"', "Berlin", None, True),
        ('site -startsWith "lin"', "Berlin", None, False),
        ('site -contains "LIN"', "Berlin", None, True),
        ('site -contains "lin"', None, None, False),
        ('site -notContains "rom"', "Berlin", None, True),
        ('site -notContains "rom"', None, None, True),
        ('site -in ["Rome", "BERLIN"]', "Berlin", None, True),
        ('site -notIn ["Rome", "BERLIN"]', "Berlin", None, False),
        ("site -eq $null", None, None, True),
        ("site -eq $null", "   ", None, True),
        ("site -ne $null", "Berlin", None, True),
        ("operatingSystemVersion -ge 10", None, "10.0", True),
        ("operatingSystemVersion -eq 10.0.0", None, "10", True),
        ("operatingSystemVersion -gt 10", None, "10.0.1", True),
        ("operatingSystemVersion -lt 10.0.9", None, "10.0.10", False),
        ("operatingSystemVersion -le 6.1", None, "6.1.0-18-amd64", True),
        ("operatingSystemVersion -gt 0", None, "rolling", False),
        ("operatingSystemVersion -lt 99", None, None, False),
        ("operatingSystemVersion -ge 1", None, "9" * 5000, True),
    ],
)
def test_the_measured_language(rule: str, site: str | None, version: str | None, expected: bool) -> None:
    given_facts = {Property.SITE: site, Property.OPERATING_SYSTEM_VERSION: version}
    assert matches(parse_rule(rule), given_facts) is expected


def test_an_explanation_names_the_term_what_was_found_and_the_verdict() -> None:
    rule = parse_rule('site -eq "Rome" or osVersion -startsWith "1"')
    first, second = explain(rule, {Property.SITE: "Berlin", Property.OS_VERSION: "12"})
    assert (first.term, first.found, first.holds) == ('device.site -eq "Rome"', "Berlin", False)
    assert (second.found, second.holds) == ("12", True)


def device(**said: Any) -> Device:
    return Device(id="d1", name="desk-1", site="Berlin", facts={"os_name": "linux", "memory_in_mb": 2048, **said})


def test_facts_come_from_the_device_and_from_operators_and_never_overrule_these() -> None:
    given_facts = facts_of(device(model=" X1 ", site="Rome", id="other", name="other", hostname=""))
    assert given_facts[Property.SITE] == "Berlin"
    assert given_facts[Property.ID] == "d1"
    assert given_facts[Property.NAME] == "desk-1"
    assert given_facts[Property.MODEL] == "X1"
    assert given_facts[Property.MEMORY] == "2048"
    assert given_facts[Property.HOSTNAME] is None
    assert given_facts[Property.MANUFACTURER] is None
