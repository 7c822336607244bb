"""A review as it is kept: the same events and rules give the same bytes; who is called how plays no part."""

from __future__ import annotations

from dataclasses import replace

from services.metrics.review import options
from services.metrics.review.inputs import Before, Inputs
from services.metrics.review.rule_set import RuleSet, built_in
from services.metrics.review.snapshot import Snapshot, take
from services.metrics.review.thresholds import Swing
from tests.review.north import START, deals, duties, north

SWING = Swing(benefit=30_000, risk=10_000, cost=6_000, effort=6_660, time=3_000)
RULES = built_in().model_copy(update={"ranking": built_in().ranking.model_copy(update={"swing": SWING})})
KNOWN = Before(periods=2, states={"W-COM": "watch", "W-TWK": "healthy", "W-RES": "watch"})


def reviewed(inputs: Inputs, rules: RuleSet = RULES) -> Snapshot:
    return take(inputs, rules, options.built_in())


def whole() -> Inputs:
    return north(before=KNOWN, duties=duties(55, 60), deals=deals("B", 118, 11) + deals("F", 31, 4))


def test_north_is_told_to_communicate_with_those_it_needs() -> None:
    document = reviewed(whole()).document
    found = document["recommendation"]
    assert (found["rule"], found["class"], found["option"]) == ("R5", "ENCOURAGE COMMUNICATION", "O1b+O3")
    assert found["besides"] == ["O1c", "O6"], "F is isolated, and A carries half of all help"
    assert [each["between"] for each in document["associations"]["uncovered"]] == [
        ["C", "M1"],
        ["E", "V2"],
        ["F", "M2"],
    ]
    assert [each["option"] for each in document["options"]["screened"]] == ["O1a"]
    assert document["weaknesses"]["W-HUB"]["about"] == ["A"]


def test_who_is_there_for_six_weeks_without_a_tie_gets_a_buddy() -> None:
    found = reviewed(whole()).document
    assert found["weaknesses"]["W-ISO"]["about"] == ["F"]
    young = tuple(
        replace(each, spells=((START.replace(month=3, day=20), None),)) if each.id == "F" else each
        for each in whole().members
    )
    new = reviewed(replace(whole(), members=young)).document
    assert (new["weaknesses"]["W-ISO"]["state"], new["weaknesses"]["W-ISO"]["about"]) == ("watch", [])


def test_nothing_is_called_weak_in_the_first_two_periods() -> None:
    for periods in (0, 1):
        document = reviewed(replace(whole(), before=Before(periods=periods))).document
        assert document["baseline"]
        assert "weak" not in {each["state"] for each in document["weaknesses"].values()}
        assert document["recommendation"]["class"] == "NO ACTION"


def test_what_is_weak_for_the_first_time_is_watched() -> None:
    first = replace(whole(), before=Before(periods=2))
    assert reviewed(first).document["recommendation"]["rule"] == "R9"
    at_once = RULES.model_copy(update={"accept_single_period": True})
    assert reviewed(first, at_once).document["recommendation"]["rule"] == "R5"


def test_what_lacks_is_listed_instead_of_a_recommendation() -> None:
    found = reviewed(replace(whole(), surveys={}, requests=())).document["recommendation"]
    assert (found["rule"], found["option"]) == ("R0", None)
    assert found["missing"][0] == "0 of at least 10 needs of others"
    assert "communication: there is no TP4, no TP3, no TP5" in found["missing"]


def test_every_number_names_the_things_it_is_made_of() -> None:
    found = reviewed(whole()).evidence
    assert len(found["/measures/team/TP4"]) == 17
    assert "action/a0" in found["/measures/team/IB4"]
    assert "request/r0" in found["/associations/edges/B~M1"]
