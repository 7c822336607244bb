"""The eleven properties that every review has, in the order of the specification; the eleventh, that nothing of it
leads to pay, is read from the imports (`tests/test_imports.py`)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any, Final, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.metrics.review import options
from services.metrics.review.association import CHANNELS, edges_of
from services.metrics.review.contributions import shared_out
from services.metrics.review.finding import find
from services.metrics.review.inputs import Action, Before, CheckIn, Deal, Inputs, Item, Meeting, Organisation
from services.metrics.review.measure import State, Survey
from services.metrics.review.ranking import Candidate, Chance, Scales, candidate_of, rank
from services.metrics.review.recommendation import Class, States, recommend
from services.metrics.review.rule_set import RuleSet, built_in
from services.metrics.review.snapshot import Snapshot, take
from services.metrics.review.thresholds import CRITERIA, Swing
from tests.review.north import END, NORTH, OF, START, deals, duties, north, renamed, request

SWING = Swing(benefit=30_000, risk=10_000, cost=6_000, effort=6_660, time=3_000)
RULES = built_in().model_copy(update={"ranking": built_in().ranking.model_copy(update={"swing": SWING})})
SCALES = Scales(21.1, 10_000, 6_000, 148, 13, {name: getattr(SWING, name) for name in CRITERIA})
NO_ACTION = candidate_of(options.built_in().options[0], "COM", 6)
KNOWN = Before(periods=2, states={"W-COM": "watch", "W-TWK": "healthy", "W-RES": "watch"})
TOLD = ("members", "partners", "meetings", "items", "actions", "requests", "check_ins", "duties", "deals")
slowly = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
names = st.sampled_from(NORTH)


def whole() -> Inputs:
    return north(before=KNOWN, duties=duties(55, 60), deals=deals("B", 118, 11) + deals("F", 31, 4))


def reviewed(inputs: Inputs, rules: RuleSet = RULES) -> Snapshot:
    return take(inputs, rules, options.built_in())


figures = st.floats(0, 5_000, allow_nan=False)


@st.composite
def tables(draw: Any) -> list[Candidate]:
    found = [NO_ACTION]
    for at in range(draw(st.integers(2, 6))):
        chance = Chance(draw(st.floats(0, 1)), draw(st.floats(-10, 40)), draw(st.floats(0.5, 20)))
        loss, cost, hours, weeks = draw(figures), draw(figures), draw(st.floats(0, 148)), draw(st.floats(0, 13))
        found.append(Candidate(f"X{at}", (f"X{at}",), (chance,), loss, cost, hours, weeks))
    return found


@slowly
@given(tables(), st.data())
def test_property_1_adding_or_removing_an_option_never_changes_the_order_of_the_others(
    table: list[Candidate], data: Any
) -> None:
    gone = data.draw(st.sampled_from(table[1:]))
    order = [each.candidate.name for each in rank(table, SCALES, money=True)]
    rest = [each.candidate.name for each in rank([each for each in table if each is not gone], SCALES, money=True)]
    assert rest == [name for name in order if name != gone.name]


@slowly
@given(tables(), st.sampled_from([0.1, 10, 1000]))
def test_property_2_money_in_other_units_leaves_the_scores(table: list[Candidate], unit: float) -> None:
    others = [replace(each, loss=unit * each.loss, cost=unit * each.cost) for each in table]
    swing = {name: unit * each for name, each in SCALES.swing.items()}
    scales = replace(SCALES, loss=unit * SCALES.loss, budget=unit * SCALES.budget, swing=swing)
    before = {each.candidate.name: each.score for each in rank(table, SCALES, money=True)}
    after = {each.candidate.name: each.score for each in rank(others, scales, money=True)}
    assert after == pytest.approx(before)


@slowly
@given(st.permutations("uvwxyz"), st.permutations(["finance", "it", "zoo"]))
def test_property_3_calling_members_and_departments_otherwise_changes_only_the_names(
    people: list[str], departments: list[str]
) -> None:
    called = dict(zip(NORTH, people, strict=True)) | {each: f"q{each}" for each in OF}
    called |= dict(zip(("sales", "marketing", "delivery"), departments, strict=True))
    inputs = replace(renamed(whole(), called), department=departments[0], leader=called["A"])
    other, plain = reviewed(inputs).document, reviewed(whole()).document
    assert other["measures"]["team"] == plain["measures"]["team"]
    assert other["recommendation"] == plain["recommendation"]
    for member in NORTH:
        assert other["measures"]["members"][called[member]] == plain["measures"]["members"][member]
    assert other["associations"]["inwardness"] == plain["associations"]["inwardness"]
    both = [
        {frozenset(called.get(each, each) if one is plain else each for each in pair.split("~")): edge
         for pair, edge in one["associations"]["edges"].items()}
        for one in (other, plain)
    ]  # fmt: skip
    assert both[0] == both[1]


@slowly
@given(st.integers(8, 60), st.sampled_from(CHANNELS))
def test_property_4_events_beyond_the_cap_of_a_channel_change_no_tie(times: int, channel: str) -> None:
    many: dict[str, tuple[Any, ...]] = {
        "meetings": tuple(
            Meeting(id=f"m{at}", on=START, attended=frozenset("AF")) for at in range(times)
        ),
        "items": tuple(
            Item(id=f"i{at}", raised_by="F", raised_on=START, resolved_by=("A",)) for at in range(times)
        ),
        "actions": tuple(Action(id=f"a{at}", owner="F", due=START, helpers=("A",)) for at in range(times)),
        "requests": tuple(request(f"r{at}", "F", "A", on_time=True) for at in range(times)),
        "check_ins": tuple(CheckIn(id=f"c{at}", giver="A", receiver="F", on=START) for at in range(times)),
    }  # fmt: skip
    alone = dict.fromkeys(CHANNELS, ()) | {channel: many[channel]}
    found = edges_of(north(**alone), RULES.graph)
    assert found["A", "F"].total == 4


@slowly
@given(st.integers(0, 16), st.integers(2, 12))
def test_property_4_splitting_an_item_raises_neither_the_contribution_nor_what_is_resolved(at: int, parts: int) -> None:
    inputs = north(items=tuple(replace(each, meeting=f"m{place % 10}") for place, each in enumerate(north().items)))
    first = inputs.items[at]
    split = [replace(first, id=f"part{each}") for each in range(parts)]
    others = [each for each in inputs.items if each is not first]
    before, after = find(inputs, RULES), find(replace(inputs, items=(*others, *split)), RULES)
    assert after.team["TP2"].value == before.team["TP2"].value
    for member in NORTH:
        assert after.members[member]["IB2"].value == before.members[member]["IB2"].value


WEIGHTS = {"source": 0.2, "discovery": 0.2, "demo": 0.2, "close": 0.3, "handover": 0.1}
roles = st.dictionaries(
    st.sampled_from(sorted(WEIGHTS)), st.lists(st.sampled_from("ABCD"), min_size=1, max_size=4, unique=True).map(tuple),
    max_size=5,
)  # fmt: skip


@slowly
@given(roles, st.integers(1, 10**7))
def test_property_5_the_parts_of_a_deal_sum_to_what_its_roles_have(
    filled: dict[str, tuple[str, ...]], amount: int
) -> None:
    deal = Deal(id="x", closed_on=START, won=True, owner="A", amount=float(amount), roles=tuple(filled.items()))
    parts, _ = shared_out([deal])
    assert sum(parts.values()) == pytest.approx(amount * sum(WEIGHTS[each] for each in filled))
    if filled:
        told = {each.member: each.share.value for each in find(north(deals=(deal,)), RULES).contributions}
        assert {each for each in "ABCD" if told[each]} == {member for each in filled.values() for member in each}
        assert all(told[each] == 0 for each in "EF"), "who had no role has nothing"
    for one, other in product("ABCD", repeat=2):
        if one in parts and all((one in each) == (other in each) for each in filled.values()):
            assert parts[one] == parts[other]


@slowly
@given(st.sets(st.sampled_from(("items", "actions", "requests", "communication", "cooperation")), min_size=1))
def test_property_6_taking_data_away_never_makes_weak_what_was_not_because_it_is_missing(gone: set[str]) -> None:
    good = {"communication": Survey(4.5, 0.5, 6, 6), "cooperation": Survey(4.5, 0.5, 6, 6)}
    inputs = replace(whole(), surveys={name: each for name, each in good.items() if name not in gone})
    nothing: dict[str, Any] = {name: () for name in ("items", "actions", "requests") if name in gone}
    less = replace(inputs, **nothing)
    team, document = find(less, RULES).team, reviewed(less).document
    assert team["COM"].value is None or team["TWK"].value is None
    assert document["recommendation"]["class"] == "NOT ENOUGH DATA"
    for code, measure in (("W-COM", "COM"), ("W-TWK", "TWK")):
        if team[measure].value is None:
            assert document["weaknesses"][code]["state"] == "not enough data"


TALKS: Final = ("meetings", "items", "actions", "requests", "check_ins")
LOOKED_AT: Final = {
    "W-COM": ("requests",), "W-TWK": ("actions",), "W-HUB": ("items", "actions"), "W-ISO": TALKS,
    "W-MTG": ("meetings",), "W-DEP": ("requests",), "W-ROLE": ("duties", "actions"), "W-SKILL": ("deals",),
    "W-ACT": ("setbacks",), "W-TGT": (), "W-CUST": ("answers",), "W-RES": ("deals", "quotas"),
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(LOOKED_AT))
def test_property_6_a_rule_without_anything_to_look_at_finds_nothing_weak(code: str) -> None:
    gone: dict[str, Any] = {name: () for name in LOOKED_AT[code]}
    less = replace(whole(), surveys={}, organisation=Organisation(), activities=None, **gone)
    assert reviewed(less).document["weaknesses"][code]["state"] == "not enough data"


@slowly
@given(st.dictionaries(names, st.tuples(st.integers(0, 90), st.integers(1, 90)), min_size=1))
def test_property_7_an_absence_never_lowers_ones_own_attendance_or_the_teams(away: dict[str, tuple[int, int]]) -> None:
    inputs = north()
    spells = {
        member: ((START + timedelta(days=begins), START + timedelta(days=begins + days)),)
        for member, (begins, days) in away.items()
    }
    members = tuple(replace(each, away=spells.get(each.id, ())) for each in inputs.members)
    before, after = find(inputs, RULES), find(replace(inputs, members=members), RULES)
    for one, other in [(before.team["ATT"], after.team["ATT"])] + [
        (before.members[each]["IB1"], after.members[each]["IB1"]) for each in NORTH
    ]:
        assert other.value is None or other.value >= (one.value or 0)


@slowly
@given(tables())
def test_property_8_a_difference_in_score_is_the_expected_money(table: list[Candidate]) -> None:
    for each in rank(table, SCALES, money=True):
        one = each.candidate
        closed = each.values["benefit"] / 100
        money = closed * 30_000 - one.loss - one.cost - one.hours * 45 - one.weeks / 13 * 3_000
        assert each.net == pytest.approx(money, abs=0.01)


Says = Callable[[States], bool]


def sure(of: str) -> Says:
    return lambda s: getattr(s, of) == "weak" and getattr(s, f"{of}_confirmed")


def both(s: States) -> bool:
    return sure("com")(s) and sure("twk")(s)


def only_twk(s: States) -> bool:
    return sure("twk")(s) and not sure("com")(s)


IN_ORDER: Final[list[tuple[str, Says]]] = [
    ("R0", lambda s: not s.enough_data or "not enough data" in (s.com, s.twk)),
    ("R2", lambda s: s.targets),
    ("R3", lambda s: not s.results_weak and "weak" not in (s.com, s.twk)),
    ("R4", lambda s: s.roles),
    ("R5", lambda s: sure("com")(s) and not sure("twk")(s)),
    ("R6a", lambda s: only_twk(s) and s.skill_gap),
    ("R6c", lambda s: only_twk(s) and s.obstacle),
    ("R6b", only_twk),
    ("R7", lambda s: both(s) and s.apart != "twk lower"),
    ("R7a", lambda s: both(s) and s.skill_gap),
    ("R7c", lambda s: both(s) and s.obstacle),
    ("R7b", both),
    ("R8", lambda s: s.results_weak and "weak" not in (s.com, s.twk)),
    ("R9", lambda s: True),
]
"""The rule as the specification and decision 17 have it: the first that matches."""


def test_property_9_every_combination_of_states_gives_exactly_one_class_and_every_class_is_reached() -> None:
    flags = ("enough_data", "load", "targets", "results_weak", "roles", "com_confirmed", "twk_confirmed", "skill_gap",
             "obstacle", "selling", "activity", "answers")  # fmt: skip
    reached: Counter[Class] = Counter()
    for com, twk, apart in product(get_args(State), get_args(State), ("no", "com lower", "twk lower")):
        for values in product((False, True), repeat=len(flags)):
            states = States(com=com, twk=twk, apart=apart, **dict(zip(flags, values, strict=True)))  # type: ignore[arg-type]
            found = recommend(states)
            assert found.rule == next(rule for rule, says in IN_ORDER if says(states)), states
            reached[found.kind] += 1
    assert sum(reached.values()) == 16 * 3 * 2 ** len(flags)
    assert set(reached) == set(get_args(Class))


@slowly
@given(st.randoms(use_true_random=False))
def test_property_10_the_same_events_and_rules_give_the_same_bytes(shuffled: random.Random) -> None:
    inputs, mixed = whole(), dict[str, Any]()
    for name in TOLD:
        things = list(getattr(inputs, name))
        shuffled.shuffle(things)
        mixed[name] = tuple(things)
    first, again = reviewed(inputs), reviewed(replace(inputs, **mixed))
    assert (again.bytes, again.hash, again.inputs_hash) == (first.bytes, first.hash, first.inputs_hash)
    assert again.evidence == first.evidence
    one_less = reviewed(replace(inputs, check_ins=inputs.check_ins[1:]))
    assert one_less.inputs_hash != first.inputs_hash
    assert one_less.hash != first.hash
    other = reviewed(inputs, RULES.model_copy(update={"version": "another"}))
    assert (other.inputs_hash, other.hash == first.hash) == (first.inputs_hash, False)
    assert END == inputs.asked
