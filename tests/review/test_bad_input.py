"""Rules and options that cannot be, and acts that come too late or too early: refused with place and numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.test_golden_over_the_bus import merged
from tests.review.told import heard, team_of
from tests.teams.conftest import problem
from tests.world import World

MEASURE = "there is no measure XYZ"


@pytest.mark.parametrize(
    ("changed", "place", "says"),
    [
        ({"ranking": {"swing": {"benefit": 0.6}}}, "/rules/ranking", "the weights sum to 1.1, not to 1"),
        ({"ranking": {"swing": {"risk": -0.2}}}, "/rules/ranking/swing/risk", "greater than or equal to 0"),
        ({"least": {"XYZ": 5}}, "/rules", MEASURE),
        ({"lines": {"XYZ": {"healthy": 80, "weak": 60}}}, "/rules", MEASURE),
        ({"indices": {"COM": ["TP4", "XYZ"]}}, "/rules", MEASURE),
        ({"indices": {"ABC": ["TP4"]}}, "/rules", "the indices are COM and TWK"),
        ({"indices": {"TWK": []}}, "/rules", "the indices are COM and TWK, each of at least one measure"),
        ({"line": {"healthy": 60, "weak": 75}}, "/rules/line", "the weak line 75 is not below the healthy line 60"),
        ({"errors": "none"}, "/rules/errors", "'adjusted' or 'plain'"),
        ({"results": {"market": {"coast": 0}}}, "/rules/results/market/coast", "greater than 0"),
        ({"training": {"passed": 300}}, "/rules/training/passed", "less than or equal to 200"),
        ({"survey": {"inside": 2}}, "/rules/survey/inside", "greater than or equal to 4"),
        ({"unheard": 1}, "/rules/unheard", "not permitted"),
    ],
)
async def test_rules_that_cannot_be_are_refused_with_their_place_and_numbers(
    standing: World, changed: dict[str, Any], place: str, says: str
) -> None:
    built_in = (await standing.admin.get("/v1/rule-sets/built-in")).json()
    assert says in problem(await standing.post("/v1/rule-sets", {"rules": merged(built_in, changed)}), 422, place)
    assert (await standing.admin.get("/v1/rule-sets")).json()["items"] == []


@pytest.mark.parametrize(
    ("changed", "place", "says"),
    [
        ({"effects": {"XYZ": {"mean": 1, "deviation": 1}}}, "/options/1", MEASURE),
        ({"when": ["W-XYZ"]}, "/options/1", "there is no weakness W-XYZ"),
        ({"id": "O0"}, "", "O0 is there more than once"),
        ({"effects": {"COM": {"mean": 1, "deviation": 0}}}, "/options/1/effects/COM/deviation", "greater than 0"),
        ({"risks": [{"what": "late", "probability": 2, "loss": 1}]}, "/options/1/risks/0/probability", "less than or"),
    ],
)
async def test_options_that_cannot_be_are_refused_with_their_place(
    standing: World, changed: dict[str, Any], place: str, says: str
) -> None:
    built_in = (await standing.admin.get("/v1/options/built-in")).json()["options"]
    sent = [built_in[0], built_in[1] | changed]
    assert says in problem(await standing.post("/v1/options", {"version": "ours", "options": sent}), 422, place)


async def test_what_is_outdated_is_not_decided_on_and_without_a_baseline_nothing_is_judged(standing: World) -> None:
    lives = team_of("late", ["late-a", "late-b"], "late-a")
    await heard(standing, lives)
    body = {"team": "late", "period": {"from": "2026-01-05", "to": "2026-04-06"}}
    first = await standing.made("/v1/reviews", body)
    path = f"/v1/reviews/{first['id']}"
    early = await standing.post(f"{path}/verification", {"starts_on": "2026-06-01"})
    assert "Nothing has been decided" in problem(early, 409)
    await standing.made(f"{path}/decide", {"options": ["O0"]})
    unjudged = await standing.admin.get(f"{path}/verification")
    assert "without a baseline" in problem(unjudged, 409)
    soon = await standing.post(f"{path}/verification", {"starts_on": "2026-04-20"})
    assert "at least 6 weeks" in problem(soon, 422, "/starts_on")
    rules = (await standing.admin.get("/v1/rule-sets/built-in")).json()
    await standing.made("/v1/rule-sets", {"rules": rules | {"version": "another"}})
    second = await standing.made("/v1/reviews", body)
    again = await standing.post(f"{path}/decide", {"options": ["O0"]})
    says = problem(again, 409)
    assert says == f"Revision 1 of this review is outdated; {second['id']} stands for it."
    unread = await standing.post("/v1/reviews", {"team": "late", "period": "2999"})
    assert "2999-01-01" in problem(unread, 422, "/period")
    nobody = await standing.post("/v1/reviews", {"team": "nobody", "period": "2026"})
    problem(nobody, 422, "/team")
    strange = await standing.post(f"/v1/reviews/{second['id']}/decide", {"options": ["O99"]})
    assert "O99 is not among the options" in problem(strange, 422, "/options")
    silent = await standing.post(f"/v1/reviews/{second['id']}/decide", {"options": []})
    problem(silent, 422, "/options")
