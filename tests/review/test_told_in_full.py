"""What events say and reviews once passed over: who received a duty, which targets were set late, what was not told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.metrics.review import options
from services.metrics.review.finding import find
from services.metrics.review.inputs import Action, Answer, Duty, Quota, Training
from services.metrics.review.measure import Recommended
from services.metrics.review.rule_set import built_in
from services.metrics.review.snapshot import take
from services.metrics.review.weaknesses import weaknesses_of
from shared.events.duties import DutyAccepted, DutyAssigned, DutyDone, DutyReturned
from shared.events.goals import ReadingTaken
from shared.events.pulses import PulseClosed, PulseOpened
from shared.instant import now
from shared.period import Period
from tests.charter import switched_on
from tests.review.north import END, START, deals, north
from tests.review.test_snapshot import RULES, whole
from tests.review.told import Lives, aimed, euros, heard, recruited, team_of, work_of
from tests.world import World

pytestmark = pytest.mark.embedded_by_day

PERIOD = {"from": START.isoformat(), "to": END.isoformat()}


async def reviewed(world: World, lives: Lives) -> dict[str, Any]:
    await heard(world, lives)
    await switched_on(world)
    document: dict[str, Any] = (await world.made("/v1/reviews", {"team": "north", "period": PERIOD}))["document"]
    return document


def duty(member: str, *received: Any) -> list[Any]:
    on = START + timedelta(days=3)
    return [DutyAssigned(on=START, department="sales", member=member, due=on), DutyDone(on=on, by=member), *received]


async def test_a_duty_that_somebody_receives_is_a_need_of_the_two(world: World) -> None:
    on = START + timedelta(days=5)
    lives = team_of("north", "ABC", "A") | recruited("V", "delivery")
    lives |= {
        "duty/accepted": duty("A", DutyAccepted(on=on, by="V")),
        "duty/returned": duty("B", DutyReturned(on=on, by="C")),
        "duty/twice": duty("A", DutyReturned(on=on, by="B"), DutyDone(on=on, by="A"), DutyAccepted(on=on, by="V")),
        "duty/by_a_tool": duty("C", DutyAccepted(on=on)),
    }
    graph = (await reviewed(world, lives))["associations"]
    assert graph["needs"] == {"A~V": 2, "B~C": 1}
    assert graph["uncovered"] == [{"between": ["A", "V"], "times": 2}, {"between": ["B", "C"], "times": 1}]


async def test_a_target_that_was_set_when_its_period_had_begun_is_flagged_where_it_is_measured(world: World) -> None:
    days = Period.between(START, END)
    lives = team_of("north", "ABC", "A") | aimed("a", "member", "A", days, euros(100_000), set_after_start=True)
    lives |= aimed("b", "member", "B", days, euros(100_000))
    lives |= work_of(replace(north(), deals=deals("A", 60_000, 4) + deals("B", 60_000, 4)))
    measures = (await reviewed(world, lives))["measures"]
    late = "target moved: 1 of 1 set after their period had begun"
    assert (measures["members"]["A"]["IR1"]["note"], measures["members"]["A"]["IR6"]["note"]) == (late, late)
    assert "note" not in measures["members"]["B"]["IR1"]
    assert measures["team"]["TR1"]["note"] == "target moved: 1 of 2 set after their period had begun"


def test_where_nothing_is_recorded_nobody_is_known_to_be_alone() -> None:
    silent = replace(whole(), meetings=(), items=(), actions=(), requests=(), check_ins=())
    found = weaknesses_of(find(silent, RULES))["W-ISO"]
    assert (found.state, found.about, found.confirmed) == ("not enough data", (), False)
    told = replace(silent, meetings=north().meetings[:1])
    assert weaknesses_of(find(told, RULES))["W-ISO"].about == tuple("ABCDEF"), "one meeting is a beginning, and no tie"


async def test_activities_that_are_not_recorded_are_not_none(world: World) -> None:
    """Without a record of the period before, nobody says that a team is as active as it was."""
    lives = team_of("north", "ABC", "A") | team_of("others", ["Z"], "Z")
    won = replace(north(), team="others", deals=deals("Z", 1_000, 20))
    lives |= work_of(replace(won, meetings=(), items=(), actions=(), requests=(), check_ins=()))
    lives |= {
        f"reading/{each}": [
            ReadingTaken(metric="activities", on=START + timedelta(days=each), value="5", level="team", ref="north",
                         team="north")
        ]
        for each in range(3)
    }  # fmt: skip
    lost = [replace(each, won=False) for each in deals("A", 1, 8)]
    lives |= work_of(replace(north(), deals=tuple(lost)))
    rules = (await world.admin.get("/v1/rule-sets/built-in")).json()
    await world.made("/v1/rule-sets", {"rules": rules | {"version": "no baseline", "baseline_periods": 0}})
    assert (await reviewed(world, lives))["weaknesses"]["W-SKILL"]["state"] == "watch"


def test_whether_members_recommend_us_is_told_of_ten_answers_on() -> None:
    few = find(north(recommended=Recommended(5, 2, 2)), RULES).team["ENPS"]
    assert (few.value, few.missing) == (None, "9 of at least 10 answers")
    found = find(north(recommended=Recommended(6, 2, 2, ("pulse/p",))), RULES).team["ENPS"]
    assert found.sources == ("pulse/p",)
    assert found.value == pytest.approx(40)
    assert found.interval == pytest.approx((-1.6, 81.6), abs=0.1)
    assert find(north(), RULES).team["ENPS"].missing == "0 of at least 10 answers"


def test_whether_customers_recommend_us_is_told_of_a_hundred_answers_on() -> None:
    """45 who would, 25 who would not; of twenty such answers it would be 20 ± 36 in nineteen of twenty cases."""
    said = [9, 10, 10] * 15 + [7, 8] * 15 + [0, 3, 5, 6, 6] * 5
    answers = tuple(Answer(id=f"a{at}", on=START, score=4, recommends=each) for at, each in enumerate(said))
    asked = (*answers, Answer(id="silent", on=START, score=4))
    found = find(north(answers=asked), RULES).team["NPS"]
    assert found.value == pytest.approx(20)
    assert found.of == 100
    assert found.interval == pytest.approx((6.6, 33.4), abs=0.1)
    assert len(found.sources) == 100, "who was not asked is not behind it"
    few = find(north(answers=asked[1:]), RULES).team["NPS"]
    assert (few.value, few.missing) == (None, "99 of at least 100 answers")


async def test_who_would_recommend_us_comes_from_the_pulse_of_the_team(world: World) -> None:
    closed = PulseClosed(on=END - timedelta(days=3), asked=12, answered=12, promoters=6, passives=4, detractors=2)
    opened = PulseOpened(level="team", opens_on=START, closes_on=closed.on, items=("enps",), team="north")
    team = (await reviewed(world, team_of("north", "ABC", "A") | {"pulse/p": [opened, closed]}))["measures"]["team"]
    assert (team["ENPS"]["value"], team["ENPS"]["n"]) == ("33.3333", "12.0000")


async def test_a_pulse_that_did_not_ask_for_it_says_nothing_of_communication(world: World) -> None:
    closed = PulseClosed(on=END - timedelta(days=3), asked=12, answered=12, promoters=6, passives=4, detractors=2)
    opened = PulseOpened(level="team", opens_on=START, closes_on=closed.on, items=("enps",), team="north")
    every = PulseOpened(level="team", opens_on=START, closes_on=closed.on, items=("C1", "C2", "C3", "C4"), team="south")
    strewn = PulseClosed(on=closed.on, asked=5, answered=5)
    lives = team_of("north", "ABC", "A") | team_of("south", "DEF", "D")
    team = (await reviewed(world, lives | {"pulse/p": [opened, closed], "pulse/q": [every, strewn]}))["measures"][
        "team"
    ]
    assert (team["TP5"]["value"], team["TP5"]["missing"]) == (None, "nobody was asked")
    south = await world.made("/v1/reviews", {"team": "south", "period": PERIOD})
    told = south["document"]["measures"]["team"]["TP5"]
    assert (told["value"], told["n"]) == (None, "5.0000"), "five answered, and no question was answered by four"


def test_a_training_says_how_its_check_went() -> None:
    taken = [Training(id=f"t{at}", member="A", teamwork=True, assigned_on=START, completed_on=START, passed=passed)
             for at, passed in enumerate((True, False, None))]  # fmt: skip
    members = find(north(trainings=tuple(taken)), RULES).members
    assert (members["A"]["IB7"].hits, members["A"]["IB7"].note) == (3, "1 of 2 checks passed")
    assert members["B"]["IB7"].note is None


def test_a_weakness_says_what_shows_it() -> None:
    duties = tuple(Duty(id=f"d{at}", owner="B", assigned_on=START, goal=None) for at in range(3))
    late = Action(id="late", owner="B", due=START, goal="aim")
    taken = take(replace(whole(), duties=duties, actions=(*whole().actions, late)), built_in(), options.built_in())
    weak = taken.document["weaknesses"]
    assert weak["W-ISO"] | {"about": ["F"]} == weak["W-ISO"]
    assert weak["W-ISO"]["began"] == {"F": START.isoformat()}
    assert weak["W-MTG"]["hours"] == "50.0000"
    assert weak["W-ROLE"]["unlinked"] == 24
    for what, sources in (("overdue", ("action/late",)), ("old_items", ("item/open0", "item/open1"))):
        assert (weak["W-TWK"][what], taken.evidence[f"/weaknesses/W-TWK/{what}"]) == (len(sources), sources)
    assert {"duty/d0", "action/a0"} <= set(taken.evidence["/weaknesses/W-ROLE"])


async def test_lines_that_were_moved_when_the_period_had_begun_are_named(world: World) -> None:
    await heard(world, team_of("north", "ABC", "A"))
    await switched_on(world)
    body = {"team": "north", "period": PERIOD}
    assert (await world.made("/v1/reviews", body))["lines_moved"] == []
    rules = (await world.admin.get("/v1/rule-sets/built-in")).json()
    ours = rules | {"version": "ours", "baseline_periods": 0, "line": {"healthy": 80, "weak": 70}}
    await world.made("/v1/rule-sets", {"rules": ours})
    found = await world.made("/v1/reviews", body)
    assert (found["revision"], found["lines_moved"]) == (2, ["line"])
    ahead = {"from": now().date().isoformat(), "to": (now().date() + timedelta(days=91)).isoformat()}
    assert (await world.made("/v1/reviews", {"team": "north", "period": ahead}))["lines_moved"] == []


def test_quotas_that_were_set_in_time_say_nothing() -> None:
    quotas = (Quota(id="q", member="B", amount=110),)
    assert find(north(deals=deals("B", 118, 11), quotas=quotas), RULES).members["B"]["IR1"].note is None
