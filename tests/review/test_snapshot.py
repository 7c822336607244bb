"""A review as it is kept: the same events and rules give the same bytes; who is called how plays no part."""

from __future__ import annotations

import ast
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.metrics.review import options
from services.metrics.review.association import edges_of
from services.metrics.review.contributions import shared_out
from services.metrics.review.finding import find
from services.metrics.review.inputs import Before, CheckIn, Deal, Inputs
from services.metrics.review.measure import Survey
from services.metrics.review.rule_set import RuleSet, built_in
from services.metrics.review.snapshot import Snapshot, take
from services.metrics.review.thresholds import Swing
from tests.review.north import NORTH, OF, START, deals, duties, north, renamed

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


def test_the_same_events_in_any_order_give_the_same_bytes() -> None:
    inputs, first = whole(), reviewed(whole())
    for seed in range(5):
        mixed: dict[str, Any] = {}
        for name in ("members", "partners", "meetings", "items", "actions", "requests", "check_ins", "duties", "deals"):
            things = list(getattr(inputs, name))
            random.Random(seed).shuffle(things)
            mixed[name] = tuple(things)
        again = reviewed(replace(inputs, **mixed))
        assert again.bytes == first.bytes
        assert again.evidence == first.evidence
    one_less = reviewed(replace(inputs, check_ins=inputs.check_ins[1:]))
    assert one_less.inputs_hash != first.inputs_hash
    assert one_less.hash != first.hash


def test_every_number_names_the_things_it_is_made_of() -> None:
    found = reviewed(whole()).evidence
    assert len(found["/measures/team/TP4"]) == 17
    assert "action/a0" in found["/measures/team/IB4"]
    assert "request/r0" in found["/associations/edges/B~M1"]


def test_calling_members_otherwise_changes_only_their_names() -> None:
    names = dict(zip(NORTH, ("z", "y", "x", "w", "v", "u"), strict=True)) | {each: f"q{each}" for each in OF}
    other = json.loads(json.dumps(reviewed(renamed(whole(), names)).document))
    plain = json.loads(json.dumps(reviewed(whole()).document))
    assert other["measures"]["team"] == plain["measures"]["team"]
    assert other["recommendation"] == plain["recommendation"]
    for old, new in names.items():
        if old in NORTH:
            assert other["measures"]["members"][new] == plain["measures"]["members"][old]
    shapes = (sorted(str(each) for each in one["associations"]["edges"].values()) for one in (other, plain))
    assert next(shapes) == next(shapes)


@given(st.integers(8, 60))
def test_events_beyond_the_cap_of_a_channel_change_no_tie(times: int) -> None:
    many = tuple(CheckIn(id=f"c{at}", giver="A", receiver="F", on=START) for at in range(times))
    found = edges_of(north(meetings=(), items=(), actions=(), requests=(), check_ins=many), RULES.graph)
    assert found["A", "F"].total == 4


roles = st.dictionaries(
    st.sampled_from(["source", "discovery", "demo", "close", "handover"]),
    st.lists(st.sampled_from("ABCD"), min_size=1, max_size=4, unique=True).map(tuple), max_size=5,
)  # fmt: skip


@given(roles, st.integers(1, 10**7))
def test_the_parts_of_a_deal_sum_to_what_its_roles_have(filled: dict[str, tuple[str, ...]], amount: int) -> None:
    weights = {"source": 0.2, "discovery": 0.2, "demo": 0.2, "close": 0.3, "handover": 0.1}
    deal = Deal(id="x", closed_on=START, won=True, owner="A", amount=float(amount), roles=tuple(filled.items()))
    parts, _ = shared_out([deal])
    assert sum(parts.values()) == pytest.approx(amount * sum(weights[each] for each in filled))
    assert parts.keys() == {member for each in filled.values() for member in each}
    for one in "ABCD":
        for other in "ABCD":
            if all((one in each) == (other in each) for each in filled.values()) and one in parts:
                assert parts[one] == parts[other]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_taking_data_away_never_makes_weak_what_was_not_because_it_is_missing(data: Any) -> None:
    names = ("items", "actions", "requests")
    gone = data.draw(st.sets(st.sampled_from((*names, "communication", "cooperation")), min_size=1))
    good = {"communication": Survey(4.5, 0.5, 6, 6), "cooperation": Survey(4.5, 0.5, 6, 6)}
    inputs = replace(whole(), surveys={name: each for name, each in good.items() if name not in gone})
    nothing: dict[str, Any] = {name: () for name in names if name in gone}
    less = replace(inputs, **nothing)
    team = find(less, RULES).team
    assert team["COM"].value is None or team["TWK"].value is None
    assert reviewed(less).document["recommendation"]["class"] == "NOT ENOUGH DATA"
    for code, measure in (("W-COM", "COM"), ("W-TWK", "TWK")):
        if team[measure].value is None:
            assert reviewed(less).document["weaknesses"][code]["state"] == "not enough data"


def test_nothing_outside_the_review_reads_what_may_not_be_paid_by() -> None:
    """COM, TWK, the graph, peers and resilience lead to no pay: only the review and its routes know them."""
    root = Path(__file__).parents[2]
    may = ("services/metrics/review/", "services/metrics/api/", "services/metrics/domain/", "services/metrics/app.py",
           "services/metrics/page/")  # fmt: skip
    for file in [*root.glob("services/**/*.py"), *root.glob("shared/**/*.py"), *root.glob("concert/**/*.py")]:
        place = file.relative_to(root).as_posix()
        if place.startswith(may):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith("services.metrics.review"), place
