"""How far answers can be trusted: from sums alone what the answers themselves would say, and nothing of few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from statistics import mean, variance
from typing import Any

import pytest

from services.meetings.domain.pulses import sums_of
from services.metrics.review import options
from services.metrics.review.finding import find
from services.metrics.review.inputs import Inputs
from services.metrics.review.measure import Survey
from services.metrics.review.reading.surveys import asked_in
from services.metrics.review.reliability import QUESTIONS
from services.metrics.review.seen import as_seen
from services.metrics.review.snapshot import take
from tests.charter import switched_on
from tests.review.north import END, START, north
from tests.review.test_snapshot import RULES, whole
from tests.review.told import Lives, asked, heard, team_of
from tests.world import World

C = QUESTIONS["communication"]
Answers = list[dict[str, int]]


def teams(number: int, size: int, *, apart: float = 0.8, noise: float = 0.6, seed: int = 1) -> list[Answers]:
    """Teams whose members answer four questions around what their team and they themselves think."""
    draw, found = Random(seed), []
    for _ in range(number):
        of_team = draw.gauss(3, apart)
        found.append([_answered(draw, of_team + draw.gauss(0, 0.5), noise) for _ in range(size)])
    return found


def _answered(draw: Random, think: float, noise: float) -> dict[str, int]:
    return {each: min(5, max(1, round(think + draw.gauss(0, noise)))) for each in C}


def all_of(told: Sequence[Answers]) -> Inputs:
    sources = [f"pulse/of-{each}" for each in range(len(told))]
    return north(asked_of={"communication": asked_in("communication", [sums_of(C, each) for each in told], sources)})


def value(inputs: Inputs, measure: str) -> float | None:
    return find(inputs, RULES).team[measure].value


def test_alpha_from_sums_is_that_of_the_answers() -> None:
    told = teams(6, 6)
    rows = [each for team in told for each in team]
    sums = [sum(each.values()) for each in rows]
    expected = 4 / 3 * (1 - sum(variance(each[item] for each in rows) for item in C) / variance(sums))
    assert value(all_of(told), "AL5") == pytest.approx(expected)
    assert expected > 0.7
    opened = find(all_of(told), RULES).team
    assert opened["AL5"].sources == opened["IC5"].sources == tuple(f"pulse/of-{each}" for each in range(6))


def test_questions_that_ask_for_different_things_have_little_alpha() -> None:
    draw = Random(3)
    strewn = [[{each: draw.randint(1, 5) for each in C} for _ in range(10)] for _ in range(6)]
    found = value(all_of(strewn), "AL5")
    assert found is not None
    assert abs(found) < 0.4


def test_how_much_is_a_matter_of_the_team_is_the_share_that_an_analysis_of_variance_gives() -> None:
    told = teams(8, 5)
    sums = [[sum(each.values()) for each in team] for team in told]
    whole_mean = mean(each for team in sums for each in team)
    between = sum(5 * (mean(team) - whole_mean) ** 2 for team in sums) / 7
    within = sum((each - mean(team)) ** 2 for team in sums for each in team) / 32
    assert value(all_of(told), "IC5") == pytest.approx((between - within) / (between + 4 * within))
    assert value(all_of(teams(8, 5, apart=0.0, noise=1.0, seed=5)), "IC5") == pytest.approx(0, abs=0.25)


def test_of_few_answers_or_teams_nothing_is_told() -> None:
    few = find(all_of(teams(5, 5)), RULES).team
    assert (few["AL5"].value, few["AL5"].missing) == (None, "25 of at least 30 answers of all teams")
    assert few["IC5"].missing == "25 of at least 30 answers, 5 of at least 5 teams"
    four = find(all_of(teams(4, 9)), RULES).team
    assert four["AL5"].value is not None
    assert four["IC5"].missing == "36 of at least 30 answers, 4 of at least 5 teams"
    assert find(north(), RULES).team["AL6"].missing == "0 of at least 30 answers of all teams"
    alike = find(all_of([[dict.fromkeys(C, 4)] * 10] * 5), RULES).team
    assert (alike["AL5"].missing, alike["IC5"].missing) == ("all answered alike",) * 2


def _said(deviation: float, answers: int = 6, **more: Any) -> Inputs:
    return north(surveys={each: Survey(4, deviation, answers, 6) for each in C} | more)


def test_a_team_is_agreed_as_far_as_its_answers_are_closer_than_chance() -> None:
    assert value(_said(1.0), "RW5") == pytest.approx(4 * 0.5 / (4 * 0.5 + 0.5)), "half the variance of chance: .8"
    assert value(_said(0.0), "RW5") == 1
    assert value(_said(2.0), "RW5") == 0, "at odds more than by chance"
    assert find(_said(1.0, 3), RULES).team["RW5"].missing == (
        "3 answers to a question; at least 4 of enough of those asked"
    )
    assert value(north(surveys={each: Survey(4, 1, 6, 6) for each in C[:3]}), "RW5") is None, "one was not asked"


def test_how_agreed_four_are_is_for_the_team_and_not_for_those_outside() -> None:
    few = {each: Survey(4, 1.0, 4, 6) for each in C}
    found = dict(take(replace(whole(), surveys=few), RULES, options.built_in()).document)
    assert found["measures"]["team"]["RW5"]["value"] == "0.8000"
    assert as_seen(found, "outside", None)["measures"]["team"]["RW5"]["value"] is None


def _pulses(told: Sequence[Answers]) -> Lives:
    """Teams that were asked, each by a pulse of its own, and one of them once before."""
    found = team_of("north", "ABCDEF", "A")
    for number, team in enumerate(told):
        sums = {name: (each["n"], each["total"], each["squares"]) for name, each in sums_of(C, team).items()}
        name = "north" if number == 0 else f"team{number}"
        found |= asked(f"p{number}", name, START, END.replace(day=1), sums, of=len(team))
    earlier = {name: (4, 16, 64) for name in C} | {"communication": (4, 64, 1024)}
    return found | asked("before", "north", START, START.replace(day=20), earlier, of=4)


async def test_a_review_says_how_far_answers_can_be_trusted_from_the_sums_that_pulses_tell(world: World) -> None:
    told = teams(6, 6)
    await heard(world, _pulses(told))
    await switched_on(world)
    period = {"from": START.isoformat(), "to": END.isoformat()}
    made = await world.made("/v1/reviews", {"team": "north", "period": period})
    team = made["document"]["measures"]["team"]
    for measure in ("AL5", "IC5"):
        expected = find(all_of(told), RULES).team[measure]
        assert (team[measure]["value"], team[measure]["n"]) == (f"{expected.value:.4f}", "36.0000"), "the last of each"
    spread = mean(variance(each[item] for each in told[0]) for item in C) / 2
    assert float(team["RW5"]["value"]) == pytest.approx(4 * (1 - spread) / (4 * (1 - spread) + spread), abs=1e-4)
    assert team["AL6"]["value"] is None
    for measure in ("AL5", "IC5"):
        query = {"path": f"/measures/team/{measure}"}
        opened = (await world.admin.get(f"/v1/reviews/{made['id']}/explain", params=query)).json()
        assert [each["subject"] for each in opened["sources"]] == [f"pulse/p{number}" for number in range(6)]
        assert opened["sources"][0]["events"] == "/v1/pulses/p0/history"
