"""The measures of the four cells, the indices and the link to goals, against the numbers of the specification."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.metrics.review import goal_link, individual_behaviour, individual_results, team_results
from services.metrics.review.contributions import by_roles, contributions_of, surplus
from services.metrics.review.finding import find
from services.metrics.review.indices import COM, TWK, index_of
from services.metrics.review.inputs import Answer, Deal, Duty, Goal, Organisation, Pull, Quota, Training
from services.metrics.review.measure import by_hand
from services.metrics.review.rule_set import built_in
from tests.review.north import END, START, deals, duties, north, rounded

RULES = built_in()


def test_the_headline_indices_of_north_worked_by_hand() -> None:
    values = dict(find(north(), RULES).team)
    for each in ("TP2", "TP3", "TP4", "IB4"):
        values[each] = by_hand(values[each])
    com, twk = index_of(COM, ("TP4", "TP3", "TP5"), values), index_of(TWK, ("IB4", "TP2", "TP6"), values)
    assert rounded([com.value, com.error, com.low, com.high]) == [53.9, 6.2, 43.7, 64.1]
    assert rounded([twk.value, twk.error, twk.low, twk.high]) == [81.9, 4.7, 74.2, 89.5]


def test_the_parts_of_the_indices() -> None:
    team = find(north(), RULES).team
    shares = {each: (team[each].hits, team[each].of) for each in ("TP3", "TP2", "IB4", "ATT")}
    assert shares == {"TP3": (8, 17), "TP2": (14, 17), "IB4": (18, 21), "ATT": (50, 60)}
    assert rounded([team["TP1"].value, team["TP5"].value, team["TP6"].value]) == [83.8, 50.0, 77.5]


def test_an_index_without_a_part_is_none_and_says_which() -> None:
    team = find(north(surveys={}), RULES).team
    assert (team["COM"].value, team["COM"].missing) == (None, "there is no TP5")


def test_participation_and_contribution_of_members() -> None:
    members = find(north(), RULES).members
    new = members["F"]["IB1"]
    assert rounded([new.value, new.low, new.high]) == [20.0, 6.9, 45.9]
    assert rounded([members["A"]["IB3"].value, members["B"]["IB3"].value]) == [100.0, 40.0]
    inputs = north(items=tuple(replace(each, meeting=f"m{at % 7}", raised_by="C", resolved_by=())
                               for at, each in enumerate(north().items)), actions=())  # fmt: skip
    assert individual_behaviour.contribution(inputs, "C").value == 70


def test_an_absence_never_lowers_attendance() -> None:
    inputs = north()
    away = tuple(
        replace(each, away=((START, START + timedelta(days=55)),)) if each.id == "F" else each
        for each in inputs.members
    )
    before, after = find(inputs, RULES), find(north(members=away), RULES)
    assert (after.team["ATT"].value or 0) > (before.team["ATT"].value or 0)
    assert after.members["F"]["IB1"].of == 4, "two that F could come to, and two that F came to though away"
    excused = north(meetings=tuple(replace(each, excused=frozenset("F") - each.attended) for each in inputs.meetings))
    assert find(excused, RULES).team["ATT"].of == 52


def test_a_new_member_is_measured_by_what_could_be_expected() -> None:
    quotas = (Quota(id="q", member="B", amount=110, market=0.95),
              Quota(id="r", member="F", amount=110, ramp=0.40, active=0.92, market=0.95))  # fmt: skip
    inputs = north(deals=deals("B", 118, 11) + deals("F", 31, 4), quotas=quotas)
    found = find(inputs, RULES).members
    assert rounded([found["B"]["IR1"].value, found["F"]["IR1"].value]) == [112.9, 80.6]
    assert rounded([found["B"]["IR6"].value, found["F"]["IR6"].value]) == [5.3, -3.9]
    assert found["C"]["IR1"].value is None


def test_a_win_rate_is_drawn_towards_the_organisations() -> None:
    closed = tuple(Deal(id=f"w{at}", closed_on=START, won=at < 3, owner="B") for at in range(8))
    inputs = north(deals=closed, organisation=Organisation(won=25, closed=100))
    assert rounded([individual_results.win_rate(inputs, "B", RULES.results).value]) == [28.6]


def test_duties_count_when_the_receiver_has_accepted_them() -> None:
    due = START + timedelta(days=10)
    found = tuple(
        Duty(id=f"d{at}", owner="B", assigned_on=START, due=due, done_on=due, accepted_on=due if at < 41 else None)
        for at in range(44)
    )
    assert rounded([individual_results.duties_accepted(north(duties=found), "B").value]) == [93.2]


def test_satisfaction_is_the_share_of_fours_and_fives() -> None:
    answers = tuple(Answer(id=f"f{at}", on=START, score=4 if at < 26 else 3, member="B") for at in range(32))
    found = individual_results.satisfaction(north(answers=answers), "B")
    assert rounded([found.value, found.low, found.high]) == [81.2, 67.6, 90.0]


def test_trainings_count_when_the_check_is_passed() -> None:
    trained = tuple(
        Training(id=f"t{at}", member=name, teamwork=True, assigned_on=START, completed_on=START, passed=at < 2)
        for at, name in enumerate("ABC")
    )
    found = find(north(trainings=(*trained, Training(id="u", member="F", teamwork=True, assigned_on=START))), RULES)
    assert (found.team["TP8"].hits, found.team["TP8"].of) == (2, 6)
    assert (found.members["F"]["IB7"].hits, found.members["F"]["IB7"].of) == (0, 1)


def test_the_roles_of_a_deal_share_it_out() -> None:
    staffed = (("source", ("B",)), ("discovery", ("B",)), ("demo", ("A", "C")), ("close", ("B",)), ("handover", ("E",)))
    deal = Deal(id="x", closed_on=START, won=True, owner="B", amount=40_000, roles=staffed, credits=(("B", 40_000.0),))
    assert by_roles(deal) == {"B": 28_000, "A": 4_000, "C": 4_000, "E": 4_000}
    shares = {each.member: each.share.value for each in contributions_of(north(deals=(deal,)), [], RULES.results)}
    assert shares == {"A": 4_000, "B": 28_000, "C": 4_000, "D": 0, "E": 4_000, "F": 0}


def test_the_surplus_belongs_to_the_team() -> None:
    quotas = tuple(Quota(id=f"q{each}", member=each, amount=100) for each in "ABCDE")
    assert rounded([surplus(north(deals=deals("B", 430, 4), quotas=quotas)).value]) == [-14.0]


def test_the_attainment_of_the_team_has_an_interval_of_deals_drawn_again() -> None:
    quotas = tuple(Quota(id=f"q{each}", member=each, amount=100) for each in "ABCDE")
    found = team_results.attainment(north(deals=deals("B", 300, 10) + deals("C", 130, 3), quotas=quotas), RULES)
    assert found.value == pytest.approx(86)
    assert found.low is not None
    assert found.high is not None
    assert 65 < found.low < 86 < found.high < 110


def test_goals_are_linked_reached_and_pulled() -> None:
    goals = (Goal(id="revenue", weight=0.5, linked=True, reached=0.86),
             Goal(id="customers", weight=0.3, linked=True, reached=1.0),
             Goal(id="new", weight=0.2, linked=False, reached=3.0))  # fmt: skip
    assert rounded([goal_link.linkage(goals).value, goal_link.alignment(goals, 1.2).value], 4) == [0.8, 0.9125]
    over = (replace(goals[0], reached=9.0), goals[1])
    assert rounded([goal_link.alignment(over, 1.2).value], 4) == [1.125]
    assert rounded([goal_link.pull_through(Pull(result=1.2, goal=8, planned=0.175)).value], 3) == [0.857]
    assert rounded([goal_link.line_of_sight(north(duties=duties(41, 52), actions=())).value]) == [78.8]


def test_an_item_younger_than_a_fortnight_is_not_judged() -> None:
    young = tuple(replace(each, raised_on=END - timedelta(days=3), resolved_on=None) for each in north().items)
    assert find(north(items=young), RULES).team["TP2"].value is None
