"""Whoever hears what teams tells of a member knows the same of every day as teams itself."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.metrics.facts.teams import MemberFact, contributions
from services.metrics.facts.teams import members as followed_by_metrics
from services.metrics.sums import ALL, DAY, cells
from services.teams.domain.members import Member
from shared.careers import Career
from shared.facts import Facts
from shared.known import KnownMember
from shared.known import members as followed_by_others
from shared.membership import covers, on_day
from tests.teams.acts import FIRST, SPELLS, TEAM_OF, act, acts

TOLD = ("employments", "departments", "memberships", "groups", "starts_on", "left_on")
FEW: list[tuple[type[Career], Facts[Any]]] = [(MemberFact, followed_by_metrics), (KnownMember, followed_by_others)]
NORTH_TWICE = [
    ("join", "north", date(2026, 1, 5), "g1", date(2026, 1, 10)),
    ("join", "north", date(2026, 1, 20), "g1", None),
]
LEFT_AND_BACK = [("leave", date(2026, 1, 11)), ("recruit_again", date(2026, 1, 11), "sales")]
JOINED_SINCE_THEN = [
    ("join", "north", date(2026, 1, 9), None, None),
    ("leave", date(2026, 1, 5)),
    ("join", "north", date(2026, 1, 2), None, None),
]
CHANGED_SINCE_THEN = [
    ("change", date(2026, 1, 9), "hr"), ("leave", date(2026, 1, 5)), ("change", date(2026, 1, 2), "it"),
]  # fmt: skip
IN_A_GROUP_SINCE_THEN = [
    ("join", "north", date(2026, 1, 9), None, date(2026, 1, 20)),
    ("leave", date(2026, 1, 5)),
    ("join", "north", date(2026, 1, 2), "g1", None),
]


def snapshot(somebody: Member) -> dict[str, Any]:
    return {name: getattr(somebody, name) for name in (*SPELLS, "starts_on", "left_on")}


def check_days(somebody: Member) -> None:
    """Nobody is in a team twice, in a group without its team, or anywhere without working here."""
    for offset in range(-1, 62):
        on = FIRST + timedelta(days=offset)
        teams, groups = on_day(somebody.memberships, on), on_day(somebody.groups, on)
        works = len([each for each in somebody.employments if covers(each, on)])
        assert works in (0, 1)
        assert len(set(teams)) == len(teams)
        assert len(set(groups)) == len(groups)
        assert {TEAM_OF[group] for group in groups} <= set(teams)
        assert works or not teams
        assert len(on_day(somebody.departments, on)) == len(on_day(somebody.working_shares, on)) == works


@settings(max_examples=150, deadline=None)
@given(st.lists(acts, max_size=20))
@example([*JOINED_SINCE_THEN, ("stay", date(2026, 1, 1))])
@example([*CHANGED_SINCE_THEN, ("stay", date(2026, 1, 1))])
@example([*IN_A_GROUP_SINCE_THEN, ("stay", date(2026, 1, 1))])
@example([*LEFT_AND_BACK, ("change", date(2026, 2, 1), "hr")])
@example([*LEFT_AND_BACK, ("change", date(2026, 1, 5), "hr"), ("change", date(2026, 1, 5), "sales")])
@example([*NORTH_TWICE, ("move", "north", "south", date(2026, 1, 7))])
@example([*NORTH_TWICE, ("leave_team", "north", date(2026, 1, 7), None)])
@example([*NORTH_TWICE, ("leave_team", "north", date(2026, 1, 7), "g1")])
@example([*NORTH_TWICE, ("join", "south", date(2026, 1, 1), None, None), ("move", "north", "south", date(2026, 1, 7))])
def test_facts_folded_from_the_events_equal_what_the_owner_keeps_after_any_acts(todo: list[tuple[Any, ...]]) -> None:
    somebody, recruited = Member.recruit(department="sales", starts_on=FIRST, id="mbr_a", externals={})
    facts = [(model.make(id="mbr_a"), follow) for model, follow in FEW]
    told: Any = recruited
    for each in [None, *todo]:
        if each is not None:
            before, kept = snapshot(somebody), deepcopy(snapshot(somebody))
            told = act(somebody, each)
            assert before == kept, "a list was changed in place, which no undo would bring back"
            if told is None:
                assert snapshot(somebody) == kept
                continue
        for fact, follow in facts:
            follow.fold(fact, told)
            for name in TOLD:
                theirs, ours = getattr(fact, name), getattr(somebody, name)
                assert theirs == ours, (name, told)
    check_days(somebody)


@settings(max_examples=100, deadline=None)
@given(st.lists(acts, max_size=20))
def test_who_is_counted_on_a_day_is_who_is_there(todo: list[tuple[Any, ...]]) -> None:
    somebody, recruited = Member.recruit(department="sales", starts_on=FIRST, id="mbr_a", externals={})
    fact = MemberFact.make(id="mbr_a")
    for told in (recruited, *(act(somebody, each) for each in todo)):
        if told is not None:
            followed_by_metrics.fold(fact, told)
    marks = {"joined": 1, "left": -1}
    for offset in range(62):
        on = FIRST + timedelta(days=offset)
        for dim, ref, spells in (
            (ALL, None, somebody.employments),
            ("department", "hr", somebody.departments),
            ("team", "north", somebody.memberships),
            ("group", "g1", somebody.groups),
        ):
            counted = [
                marks[measure] * count
                for (along, key, measure, grain, start, _), (count, *_) in contributions(fact)
                if (along, key, grain) == (dim, ref or "", DAY) and start <= on
            ]
            assert sum(counted) == len([each for each in spells if each["of"] == ref and covers(each, on)])


def test_a_history_does_not_change_when_something_later_does() -> None:
    somebody, recruited = Member.recruit(department="sales", starts_on=FIRST, id="mbr_a", externals={})
    fact = MemberFact.make(id="mbr_a")
    followed_by_metrics.fold(fact, recruited)
    for each in LEFT_AND_BACK:
        followed_by_metrics.fold(fact, act(somebody, each))  # type: ignore[arg-type]
    before = Counter(contributions(fact))
    followed_by_metrics.fold(fact, act(somebody, ("change", date(2026, 2, 1), "hr")))  # type: ignore[arg-type]
    left = cells("left", date(2026, 2, 1), {"department": "sales"})
    joined = cells("joined", date(2026, 2, 1), {"department": "hr"})
    assert Counter(contributions(fact)) - before == Counter([*left, *joined])
    assert not before - Counter(contributions(fact))
