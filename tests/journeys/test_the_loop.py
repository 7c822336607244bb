"""The loop is closed: found weak, decided, carried out where it belongs, measured, judged, and known the next time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.metrics.review.verification import deal
from tests.journeys.loop import AFTER, DECIDED, QUARTER, START, Loop, looped
from tests.teams.conftest import problem
from tests.world import World


def every_other(week: int) -> bool:
    return week % 2 == 0


def never(week: int) -> bool:
    return False


def always(week: int) -> bool:
    return True


async def found_silent(world: World) -> Loop:
    """Both teams until the start: of North two get no answer, all other work goes well."""
    loop = await looped(world)
    await loop.ties()
    await loop.teamwork(QUARTER[0], 13, always)
    await loop.communication(QUARTER[0], 34, loop.heeded, always)
    await loop.communication(QUARTER[0], 21, loop.silent, never)
    await loop.communication(QUARTER[0], 34, loop.others[:2], every_other)
    await loop.heard()
    return loop


async def decide(loop: Loop, review: str, *options: str, **more: Any) -> dict[str, Any]:
    body = {"options": options, "on": DECIDED.isoformat(), "starts_on": START.isoformat(), "reason": "One at a time"}
    return await loop.made(f"reviews/{review}/decide", body | more)


async def test_a_silent_team_is_paired_meets_and_the_organisation_learns_that_it_worked(world: World) -> None:
    loop = await found_silent(world)
    review = await loop.review()
    found = review["document"]["recommendation"]
    assert (found["class"], found["measure"]) == ("ENCOURAGE COMMUNICATION", "COM")
    assert (found["option"], found["close"]) == ("O3", ["O1b"]), "a close call: both are shown"

    plan = {"comparison": loop.west, "smallest_worthwhile": 8}
    decided = await decide(loop, review["id"], "O1b", verification=plan)
    assert decided["plan"]["baseline"] == {"from": "2025-04-07", "to": "2025-06-02"}
    assert (decided["plan"]["fresh"], decided["plan"]["expected"]) == (True, "14.0000")
    assert (decided["plan"]["decided_on"], decided["plan"]["decides_on"]) == ("2025-04-10", AFTER.isoformat())

    pairs = await loop.made_of("liaisons", review["id"])
    wanted = {frozenset(each) for each in zip(loop.silent, loop.it, strict=True)}
    assert {frozenset((each["from"]["member"], each["to"]["member"])) for each in pairs} == wanted
    assert {(each["begins_on"], each["every_days"], each["option"]) for each in pairs} == {("2025-06-02", 14, "O1b")}
    (action,) = await loop.made_of("actions", review["id"])
    assert (action["owner"], action["due"]) == (loop.people[0], "2025-06-16")
    await loop.made(f"actions/{action['id']}/done", {"on": "2025-06-10"})

    await loop.communication(START, 13, loop.silent, always)
    for one, other in zip(loop.silent, loop.it, strict=True):
        await loop.talk(one, other, START)
        for fortnight in range(1, 6):
            await loop.turns(one, other, START + timedelta(weeks=2 * fortnight))
    await loop.heard()
    seen = await loop.get(f"reviews/{review['id']}")
    assert seen["carried_out"] == {"share": "1.0000", "steps": [
        {"option": "O1b", "what": "liaisons", "planned": 12, "done": 12, "share": "1.0000"},
        {"option": "O1b", "what": "action", "planned": 1, "done": 1, "share": "1.0000"},
    ]}  # fmt: skip

    effect = await loop.get(f"reviews/{review['id']}/verification")
    assert (effect["verdict"], effect["until"], effect["judged"]) == ("worked", AFTER.isoformat(), None)
    assert effect["estimate"]["design"] == "difference in differences"
    judged = await loop.made(f"reviews/{review['id']}/judge", {})
    learned = judged["judged"]["learned"]
    assert judged["judged"]["verdict"] == "worked"
    assert float(learned["after"]["mean"]) > float(learned["before"]["mean"]) == 14

    following = await loop.review(quarter=(QUARTER[0], QUARTER[1] - timedelta(weeks=1)))
    known = following["document"]["learned"]["O1b"]["COM"]
    assert known["now"] | {"source": ""} == learned["after"] | {"source": ""}
    rows = following["document"]["options"]["rows"]
    (place,) = [place for place, each in enumerate(rows) if each["option"] == "O1b"]
    assert rows[place]["effects"][0]["mean"] == known["now"]["mean"], "the next review chooses by what was learnt"
    for number in ("/learned/O1b/COM", f"/options/rows/{place}/effects/0"):
        opened = await loop.get(f"reviews/{following['id']}/explain", path=number)
        assert [each["subject"] for each in opened["sources"]] == [f"review/{review['id']}"]
    (lesson,) = (await loop.get("options/learned"))["items"]
    assert (lesson["option"], lesson["lessons"][0]["review"]) == ("O1b", review["id"])
    again = await loop.world.post(f"/v1/reviews/{review['id']}/judge", {})
    assert "worked" in problem(again, 409)


async def found_untrained(world: World) -> Loop:
    """A team that is answered, and of whose promises every other one is kept until the start."""
    loop = await looped(world)
    await loop.ties()
    await loop.communication(QUARTER[0], 13, [*loop.silent, *loop.heeded], always)
    await loop.teamwork(QUARTER[0], 21, every_other)
    await loop.heard()
    return loop


async def test_a_team_that_lacks_teamwork_is_trained_and_the_organisation_learns_that_it_worked(world: World) -> None:
    loop = await found_untrained(world)
    course = await loop.made("courses", {"name": "Working as one", "trains": "teamwork"})
    review = await loop.review()
    found = review["document"]["recommendation"]
    assert (found["class"], found["measure"], found["train"]) == ("TRAIN TEAMWORK", "TWK", True)
    decided = await decide(loop, review["id"], "O2", verification={})
    assert (decided["plan"]["measure"], decided["plan"]["comparison"]) == ("TWK", None)

    trainings = await loop.made_of("trainings", review["id"])
    assert {each["member"] for each in trainings} == set(loop.people)
    assert {(each["course"], each["due"]) for each in trainings} == {(course["id"], "2025-07-14")}
    (series,) = await loop.made_of("series", review["id"])
    assert (series["kind"], series["rrule"], series["starts_at"]) == (
        "debrief", "FREQ=WEEKLY;INTERVAL=3;COUNT=2", "2025-06-02T09:00:00Z",
    )  # fmt: skip

    for training in trainings:
        failed = training["member"] == loop.people[4]
        cost = {"amount": "90.00", "currency": "EUR"}
        outcome = {"on": "2025-06-20", "score_after": 60 if failed else 90, "cost": cost}
        await loop.made(f"trainings/{training['id']}/complete", outcome)
    await loop.meet(series["id"], 2)
    await loop.teamwork(START, 13, always)
    await loop.heard()
    effect = await loop.get(f"reviews/{review['id']}/verification")
    assert effect["carried_out"]["steps"] == [
        {"option": "O2", "what": "trainings", "planned": 5, "done": 4, "share": "0.8000"},
        {"option": "O2", "what": "meetings", "planned": 2, "done": 2, "share": "1.0000"},
    ]
    assert (effect["verdict"], effect["estimate"]["evidence"]) == ("worked", "weak")
    spent = (await loop.get(f"reviews/{review['id']}"))["spent"]
    # Two debriefs of 45 minutes with five people, and five trainings, whether or not their check was passed.
    assert (spent["hours"], spent["cost"]) == ("7.5000", "450.0000")
    assert spent["expected"] == {"hours": "56.0000", "cost": "3600.0000"}
    judged = await loop.made(f"reviews/{review['id']}/judge", {})
    following = await loop.review(quarter=(START, AFTER))
    trained = following["document"]["measures"]["team"]["TP8"]
    assert (trained["numerator"], trained["n"]) == ("4.0000", "5.0000"), "who failed the check is not trained"
    known = following["document"]["learned"]["O2"]["TWK"]
    assert (known["lessons"][0]["review"], known["assumed"]["mean"]) == (review["id"], "12.0000")
    assert known["now"]["mean"] == judged["judged"]["learned"]["after"]["mean"]
    assert 12 < float(known["now"]["mean"])


async def four_teams(loop: Loop) -> dict[str, str]:
    """Four teams of one, each with its member."""
    teams: dict[str, str] = {}
    for name in "ABCD":
        team = (await loop.made("teams", {"name": name}))["id"]
        teams[team] = (await loop.made("members", {"name": name, "department": "sales", "starts_on": "2024-01-01"}))[
            "id"
        ]
        await loop.made(f"members/{teams[team]}/join", {"team": team, "from": "2024-01-01"})
    await loop.heard("/v1/requests")
    return teams


async def test_a_baseline_that_made_a_team_look_weak_is_corrected_for_its_drift_to_the_mean(world: World) -> None:
    loop = await looped(world)
    teams = await four_teams(loop)
    before = (QUARTER[0] - timedelta(weeks=13), QUARTER[0])
    for period, answered in ((before, (2, 4, 6, 8)), (QUARTER, (2, 5, 5, 8))):
        for member, kept in zip(teams.values(), answered, strict=True):
            for week in range(8):
                await loop.asks(member, loop.it[0], period[0] + timedelta(weeks=week, days=1), week < kept)
    await loop.heard()
    for period in (before, QUARTER):
        reviews = [(await loop.review(team, period))["id"] for team in teams]
    decided = await loop.made(f"reviews/{reviews[0]}/decide", {
        "options": ["O0"], "on": DECIDED.isoformat(), "starts_on": "2025-04-21", "verification": {"measure": "TP3"},
    })  # fmt: skip
    plan = decided["plan"]
    assert (plan["fresh"], plan["baseline"]) == (False, {"from": "2025-01-06", "to": "2025-04-07"})
    assert plan["drift"] == {
        "correlation": "0.9487", "teams": 4, "mean": "62.5000", "before": "25.0000", "expected": "1.9244",
    }  # fmt: skip
    for week in range(13):
        await loop.asks(next(iter(teams.values())), loop.it[0], date(2025, 4, 22) + timedelta(weeks=week), week < 12)
    await loop.heard()
    estimate = (await loop.get(f"reviews/{reviews[0]}/verification"))["estimate"]
    assert (estimate["drift"], estimate["evidence"]) == ("1.9244", "weak")
    assert float(estimate["change"]) == pytest.approx(100 * 12 / 13 - 25 - 1.9244, abs=1e-3)


async def test_teams_that_start_by_lot_are_judged_by_the_other_lots(world: World) -> None:
    loop = await looped(world)
    teams = await four_teams(loop)
    reviews = {team: (await loop.review(team))["id"] for team in teams}
    body = {"reviews": list(reviews.values()), "options": ["O0"], "on": DECIDED.isoformat(), "every_weeks": 4,
            "first": START.isoformat(), "verification": {"weeks": 6}}  # fmt: skip
    tied = await world.post("/v1/reviews/draw", body | {"verification": {"weeks": 6, "measure": "COM"}})
    assert "each week counts" in problem(tied, 422, "/verification/measure")
    drawn = await loop.made("reviews/draw", body)
    starts = {each["team"]: date.fromisoformat(each["starts_on"]) for each in drawn["reviews"]}
    order = deal(range(4), drawn["seed"])
    assert [starts[team] for team in sorted(teams)] == [START + timedelta(weeks=4 * each) for each in order]
    assert drawn["note"] is None

    for week in range(24):
        day = START + timedelta(weeks=week - 6, days=1)
        for team, member in teams.items():
            await loop.asks(member, loop.it[0], day, day > starts[team])
    await loop.heard()
    one = next(iter(reviews.values()))
    effect = await loop.get(f"reviews/{one}/verification")
    assert effect["lot"] == {"change": "100.0000", "p": "0.0417", "teams": 4}
    assert (effect["verdict"], effect["until"]) == ("worked", "2025-10-06")
