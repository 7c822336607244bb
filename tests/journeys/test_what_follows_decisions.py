"""What follows a decision and what does not: once, only what was chosen, and never without its reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import date, timedelta
from typing import Any

import pytest

from services.meetings import decided
from services.metrics.verdicts import judge_due
from services.teams import reactions
from shared.events import Envelope
from shared.instant import now
from shared.postage import envelope_of
from shared.store import Context, Job, Tx
from tests.journeys.loop import DECIDED, QUARTER, START, Loop, looped
from tests.teams.conftest import problem
from tests.world import World

MADE = ("liaisons", "series", "actions", "trainings", "duties")


@pytest.fixture(scope="module")
async def loop(standing: World) -> Loop:
    """A silent team whose teamwork is well, and one that is answered and keeps half of its promises, without a leader;
    each test reviews weeks of its own."""
    found = await looped(standing)
    await found.ties()
    await found.teamwork(QUARTER[0], 13, lambda week: True)
    await found.communication(QUARTER[0], 13, found.heeded, lambda week: True)
    await found.communication(QUARTER[0], 13, found.silent[:1], lambda week: False)
    for week in range(13):
        await found.asks(found.silent[1], None, QUARTER[0] + timedelta(weeks=week), answered=False)
    await found.communication(QUARTER[0], 13, found.others, lambda week: True)
    await found.teamwork(QUARTER[0], 13, lambda week: week % 2 == 0, found.others)
    await found.heard()
    return found


async def decided_on(loop: Loop, days: int, *options: str, team: str | None = None, **more: Any) -> str:
    """What was decided on a review of the quarter without its last days."""
    review: str = (await loop.review(team, (QUARTER[0], QUARTER[1] - timedelta(days=days))))["id"]
    body = {"options": options, "on": DECIDED.isoformat(), "starts_on": START.isoformat(), "reason": "I want it"}
    await loop.made(f"reviews/{review}/decide", body | more)
    return review


async def all_made(loop: Loop, review: str) -> dict[str, int]:
    return {each: len(await loop.made_of(each, review)) for each in MADE}


async def told(loop: Loop, review: str) -> AsyncIterator[Envelope]:
    batches: Any = loop.world.bus.messages(["concert.metrics"], {})
    async with aclosing(batches):
        async for batch in batches:
            if not batch:
                return
            for message in batch:
                envelope = envelope_of(message.record)
                if envelope.key == review and envelope.type == "concert.metrics.action-decided.v1":
                    yield envelope


async def test_what_is_heard_twice_makes_nothing_twice(loop: Loop) -> None:
    silent = await decided_on(loop, 1, "O1b", "O3")
    west = {"team": loop.west, "responsible": loop.people[0]}
    untrained = await decided_on(loop, 1, "O2", **west)
    before = [await all_made(loop, each) for each in (silent, untrained)]
    nothing = dict.fromkeys(MADE, 0)
    assert before == [nothing | {"liaisons": 2, "series": 1, "actions": 1}, nothing | {"series": 1, "duties": 1}]
    heard = [each for review in (silent, untrained) async for each in told(loop, review)]
    assert len(heard) == 2
    for service, react in (("meetings", decided.carry_out), ("teams", reactions.carry_out)):

        async def again(tx: Tx, react: Any = react) -> None:
            for envelope in heard:
                await react(tx, envelope.open(), envelope)

        await loop.world.services[service].runtime.store.write(Job(again, Context(now())))
    assert [await all_made(loop, each) for each in (silent, untrained)] == before


async def test_doing_nothing_makes_nothing(loop: Loop) -> None:
    review = await decided_on(loop, 2, "O0")
    assert await all_made(loop, review) == dict.fromkeys(MADE, 0)
    seen = await loop.get(f"reviews/{review}")
    assert seen["carried_out"] == {"share": None, "steps": []}


async def test_another_option_than_the_recommended_makes_what_is_its_own(loop: Loop) -> None:
    review = await decided_on(loop, 3, "O3")
    assert await all_made(loop, review) == dict.fromkeys(MADE, 0) | {"series": 1}
    (series,) = await loop.made_of("series", review)
    assert (series["kind"], series["teams"], series["minutes"]) == ("debrief", [loop.team], 45)
    (item,) = (await loop.get("items", series=series["id"]))["items"]
    assert (item["kind"], item["about"]) == ("report", f"/v1/reviews/{review}")


async def test_where_no_course_trains_it_somebody_is_to_offer_one(loop: Loop) -> None:
    review = (await loop.review(loop.west))["id"]
    body = {"options": ["O2"], "on": "2025-04-10", "starts_on": "2025-06-02", "reason": "I want it"}
    nobody = await loop.world.post(f"/v1/reviews/{review}/decide", body)
    assert "name who does" in problem(nobody, 422, "/responsible")
    await loop.made(f"reviews/{review}/decide", body | {"responsible": loop.others[1]})
    (duty,) = await loop.made_of("duties", review)
    assert duty["title"].startswith("Offer a course that trains teamwork")
    assert (duty["assigned_to"]["member"], duty["due"]) == (loop.others[1], "2025-07-14")
    seen = await loop.get(f"reviews/{review}")
    assert seen["carried_out"]["steps"][0] | {"share": None} == {
        "option": "O2", "what": "trainings", "planned": 4, "done": 0, "share": None,
    }  # fmt: skip


async def test_what_was_not_carried_out_has_not_failed_and_teaches_nothing(loop: Loop) -> None:
    review = await decided_on(loop, 5, "O1b", verification={})
    judged = (await loop.made(f"reviews/{review}/judge", {}))["judged"]
    assert (judged["verdict"], judged["learned"], judged["carried_out"]["share"]) == ("not carried out", None, "0.0000")
    assert (await loop.get("options/learned"))["items"] == []


async def test_what_is_withdrawn_before_it_was_carried_out_is_ended_where_it_was_made(loop: Loop) -> None:
    review = await decided_on(loop, 14, "O1b", "O3", verification={}, starts_on="2990-01-02")
    assert await all_made(loop, review) == dict.fromkeys(MADE, 0) | {"liaisons": 2, "series": 1, "actions": 1}
    problem(await loop.world.post(f"/v1/reviews/{review}/withdraw", {"reason": ""}), 422, "/reason")
    seen = await loop.made(f"reviews/{review}/withdraw", {"reason": "The department moves house"})
    assert (seen["decided"], seen["plan"], seen["carried_out"]) == ([], None, {"share": None, "steps": []})
    (taken,) = seen["withdrawn"]
    assert (taken["options"], taken["reason"]) == (["O1b", "O3"], "The department moves house")
    assert {each["ended_on"] for each in await loop.made_of("liaisons", review)} == {"2990-01-02"}
    assert all(each["ended_on"] for each in await loop.made_of("series", review))
    assert {each["status"] for each in await loop.made_of("actions", review)} == {"cancelled"}
    history = (await loop.get(f"reviews/{review}/history"))["items"]
    assert history[-1]["type"] == "concert.metrics.decision-withdrawn.v1"
    assert "moves house" not in str(history)
    again = await loop.world.post(f"/v1/reviews/{review}/withdraw", {"reason": "Twice"})
    assert "nothing to withdraw" in problem(again, 409)
    body = {"options": ["O3"], "on": DECIDED.isoformat(), "starts_on": "2990-01-02", "reason": "I want it"}
    other = await loop.made(f"reviews/{review}/decide", body)
    assert other["decided"] == ["O3"]
    assert len([each for each in await loop.made_of("series", review) if not each["ended_on"]]) == 1


async def test_trainings_and_duties_go_with_the_decision_and_what_has_begun_stays(loop: Loop) -> None:
    untrained = await decided_on(loop, 13, "O2", team=loop.west, responsible=loop.people[0], starts_on="2990-01-02")
    assert len(await loop.made_of("duties", untrained)) == 1
    await loop.made(f"reviews/{untrained}/withdraw", {"reason": "No time"})
    assert [each["status"] for each in await loop.made_of("duties", untrained)] == ["cancelled"]
    begun = await decided_on(loop, 15, "O1b")
    (action,) = await loop.made_of("actions", begun)
    await loop.made(f"actions/{action['id']}/done", {"on": DECIDED.isoformat()})
    await loop.heard()
    late = await loop.world.post(f"/v1/reviews/{begun}/withdraw", {"reason": "Too late"})
    assert "1 of 1 planned action of O1b are done" in problem(late, 409)
    assert {each["status"] for each in await loop.made_of("liaisons", begun)} == {"open"}


async def test_what_cannot_be_decided_is_refused_with_its_reason(loop: Loop) -> None:
    review = (await loop.review(quarter=(QUARTER[0], QUARTER[1] - timedelta(days=6))))["id"]
    path, body = f"/v1/reviews/{review}/decide", {"on": "2025-04-10", "reason": "I want it"}
    unknown = await loop.world.post(path, body | {"options": ["O77"]})
    assert "O77 is not among the options" in problem(unknown, 422, "/options")
    early = await loop.world.post(path, body | {"options": ["O1b"], "starts_on": "2025-04-01"})
    assert "decided on 2025-04-10 cannot start on 2025-04-01" in problem(early, 422, "/starts_on")
    stale = {"options": ["O1b"], "starts_on": "2025-04-21", "verification": {}}
    none = problem(await loop.world.post(path, body | stale), 422, "/starts_on")
    assert "at least 6 weeks" in none
    assert "there are 2" in none
    assert "at least 4 teams" in none
    assert (await loop.get(f"reviews/{review}"))["decided"] == [], "what is refused leaves nothing"
    late = {"on": "2025-04-20", "due": "2025-05-01", "title": "Late", "owner": loop.people[0]}
    await loop.made("actions", late | {"on": "2025-03-01", "due": "2025-03-20"})
    await loop.heard()
    newer = await loop.review(quarter=(QUARTER[0], QUARTER[1] - timedelta(days=6)))
    outdated = await loop.world.post(path, body | {"options": ["O1b"]})
    assert f"{newer['id']} stands for it" in problem(outdated, 409)


async def test_an_effect_is_judged_in_its_time_once_and_from_the_day_it_began(loop: Loop) -> None:
    review = await decided_on(loop, 7, "O1b")
    none = await loop.world.post(f"/v1/reviews/{review}/judge", {})
    assert "without a baseline" in problem(none, 409)
    other = {"starts_on": "2025-07-01"}
    elsewhere = await loop.world.post(f"/v1/reviews/{review}/verification", other)
    assert "carried out from 2025-06-02 on" in problem(elsewhere, 422, "/starts_on")
    early = await loop.world.post(f"/v1/reviews/{await in_the_future(loop, 8)}/judge", {})
    assert "watched until 2990-02-12" in problem(early, 409)


async def in_the_future(loop: Loop, days: int) -> str:
    """A review whose effect is watched for six weeks of 2990."""
    return await decided_on(loop, days, "O1b", starts_on="2990-01-01", verification={"weeks": 6})


async def test_a_verdict_that_is_due_is_recorded_by_itself_and_one_on_history_is_not(loop: Loop) -> None:
    future, past = await in_the_future(loop, 10), await decided_on(loop, 11, "O1b", verification={})
    store = loop.world.services["metrics"].runtime.store
    await judge_due(store, date(2990, 2, 25))
    assert (await loop.get(f"reviews/{future}"))["judged"] is None, "its last week is not settled yet"
    await judge_due(store, date(2990, 2, 26))
    assert (await loop.get(f"reviews/{future}"))["judged"]["verdict"] == "not carried out"
    assert await judge_due(store, date(2990, 2, 26)) == 0
    assert (await loop.get(f"reviews/{past}"))["judged"] is None, "it was planned when all was over"


async def test_an_effect_that_cannot_be_told_from_chance_is_watched_once_more(loop: Loop) -> None:
    review = await decided_on(loop, 9, "O0", verification={"weeks": 6})
    extended = await loop.made(f"reviews/{review}/judge", {})
    assert (extended["judged"], extended["plan"]["weeks"], extended["plan"]["extended"]) == (None, 19, True)
    judged = (await loop.made(f"reviews/{review}/judge", {}))["judged"]
    assert (judged["verdict"], judged["learned"]) == ("inconclusive", None)
    assert date.fromisoformat(judged["on"]) >= START


async def test_whoever_answers_for_a_department_stands_for_it(loop: Loop) -> None:
    review = await decided_on(loop, 12, "O1b")
    pairs = await loop.made_of("liaisons", review)
    sides = {each["from"]["department"] or each["to"]["department"] for each in pairs}
    assert sides == {None, "it"}
    await loop.turns(loop.silent[1], loop.it[1], START)
    await loop.turns(loop.silent[1], loop.others[0], START + timedelta(weeks=2))
    await loop.heard()
    seen = await loop.get(f"reviews/{review}")
    assert seen["carried_out"]["steps"][0] | {"share": None} == {
        "option": "O1b", "what": "liaisons", "planned": 12, "done": 1, "share": None,
    }  # fmt: skip
