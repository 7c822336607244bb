"""What reviews stand on, told by the services that own it: goals and targets, checks of trainings, setbacks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from services.metrics.facts.teams import PersonFact
from tests.charter import switched_on
from tests.review.test_golden_over_the_bus import merged
from tests.teams.conftest import Staff, staffed
from tests.world import World, client_of, token_headers

pytestmark = pytest.mark.embedded_by_day

QUARTER = {"from": "2026-01-01", "to": "2026-04-01"}
YEAR = "2026-Q1"


def euros(amount: int) -> dict[str, str]:
    return {"amount": f"{amount}.00", "currency": "EUR"}


async def heard(staff: Staff, *made: dict[str, Any]) -> None:
    """Wait until the views hold the last versions of these."""
    tokens = [f"{each['kind']}/{each['id']}@{each['version']}" for each in made]
    answer = await staff.world.admin.get(
        "/v1/views/hr", params={"period": "2026", "after": tokens}, headers={"Prefer": "wait=20"}
    )
    assert answer.status_code == 200, answer.text


async def as_kind(staff: Staff, kind: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return await staff.made(path, body) | {"kind": kind}


async def a_team(staff: Staff, size: int) -> list[str]:
    await switched_on(staff.world)
    people = [await staff.recruited() for _ in range(size)]
    for each in people:
        await staff.does(each, "join", team=staff.north, since="2026-01-01")
    return people


async def reviewed(staff: Staff) -> dict[str, Any]:
    return await staff.made("reviews", {"team": staff.north, "period": QUARTER})


async def test_a_goal_is_reached_in_a_review_as_targets_says(world: World) -> None:
    staff = await staffed(world)
    await switched_on(world)
    people = await a_team(staff, 3)
    whole = await as_kind(staff, "goal", "goals", {"title": "All", "period": YEAR})
    parts = {}
    for name, weight, metric in (("revenue", "0.5", "revenue"), ("deals", "0.3", "deals_won"), ("new", "0.2", None)):
        body = {"title": name, "period": YEAR, "parent": whole["id"], "weight": weight, "metric": metric}
        parts[name] = await as_kind(staff, "goal", "goals", body)
    below = {"title": "North's", "owner": {"level": "team", "ref": staff.north}, "period": YEAR, "metric": "revenue",
             "parent": parts["revenue"]["id"]}  # fmt: skip
    norths = await as_kind(staff, "goal", "goals", below)
    aims = [
        {"metric": "revenue", "scope": {"level": "team", "ref": staff.north}, "value": euros(1000),
         "goal": norths["id"]},
        {"metric": "deals_won", "scope": {"level": "member", "ref": people[0]}, "value": "4",
         "goal": parts["deals"]["id"]},
        {"metric": "activities", "scope": {"level": "team", "ref": staff.north}, "value": "100"},
    ]  # fmt: skip
    targets = [await as_kind(staff, "target", "targets", each | {"period": YEAR}) for each in aims]
    deals = []
    for at in range(3):
        deal = await staff.made("deals", {"owner": people[0], "opened_on": "2026-01-05", "team": staff.north})
        won = {"on": f"2026-02-{at + 1:02d}", "value": euros(250)}
        deals.append(await as_kind(staff, "deal", f"deals/{deal['id']}/win", won))
    reading = {
        "metric": "activities",
        "scope": {"level": "member", "ref": people[1]},
        "on": "2026-02-02",
        "value": "60",
    }
    taken = await as_kind(staff, "reading", "readings", reading)
    await heard(staff, whole, *parts.values(), norths, *targets, *deals, taken)
    document = (await reviewed(staff))["document"]
    team, goals = document["measures"]["team"], document["goals"]
    assert (team["LINK"]["value"], team["TR6"]["value"]) == ("0.8000", "0.7500")
    assert [(each["goal"], each["reached"], each["reached_by_team"]) for each in goals["linked"]] == [
        (parts["revenue"]["id"], "0.7500", "0.7500"), (parts["deals"]["id"], "0.7500", "0.7500"),
    ]  # fmt: skip
    assert [each["goal"] for each in goals["questions"]] == [parts["new"]["id"]]
    owned = {"target": targets[2]["id"], "metric": "activities", "confirmed": False, "late": False, "reached": None,
             "missing": "not confirmed for this period"}  # fmt: skip
    assert goals["owned"] == [owned], "what a team has not confirmed says nothing"
    assert team["OWN"]["missing"] == "the team has confirmed no measure of its own for this period"
    for each in goals["linked"]:
        shown = await staff.get(f"goals/{each['goal']}/attainment", as_of="2026-03-31")
        assert float(shown["attainment"]) == float(each["reached"]), "both services say the same"


async def test_what_a_team_has_accomplished_and_measures_itself_by_stands_in_its_review(world: World) -> None:
    staff = await staffed(world)
    people = await a_team(staff, 3)
    await staff.get("targets", after=f"member/{people[0]}@2", limit=1)
    own = {"metric": "activities", "scope": {"level": "team", "ref": staff.north}, "value": "100", "period": YEAR}
    target = await as_kind(staff, "target", "targets", own)
    taken = {"metric": "activities", "scope": own["scope"], "on": "2026-02-02", "value": "60"}
    reading = await as_kind(staff, "reading", "readings", taken)
    measures = {"team": staff.north, "period": {"from": "2026-01-01", "to": "2026-02-01"}, "targets": [target["id"]],
                "on": "2026-01-01"}  # fmt: skip
    january = await as_kind(staff, "own_measures", "own-measures", measures)
    claim = {"team": staff.north, "period": YEAR, "title": "Handed over", "evidence": ["Mrs. Sand's letter"],
             "by": people[0], "on": "2026-03-20"}  # fmt: skip
    claimed = await as_kind(staff, "accomplishment", "accomplishments", claim)
    await heard(staff, target, reading, january, claimed)
    early = (await reviewed(staff))["document"]
    assert early["measures"]["team"]["OWN"]["value"] is None, "of the rest of the quarter nothing is confirmed"
    assert [(each["verified"], each["disputed"]) for each in early["accomplishments"]] == [(False, False)]
    rest = measures | {"period": {"from": "2026-02-01", "to": "2026-04-01"}, "on": "2026-02-03"}
    last = await as_kind(staff, "own_measures", "own-measures", rest)
    stranger = await staff.recruited(department="it")
    path = f"accomplishments/{claimed['id']}"
    verified = await as_kind(staff, "accomplishment", f"{path}/verify", {"on": "2026-05-02", "by": stranger})
    await heard(staff, last, verified)
    made = await reviewed(staff)
    document = made["document"]
    assert document["goals"]["owned"] == [
        {"target": target["id"], "metric": "activities", "confirmed": True, "late": True, "reached": "0.6000",
         "missing": None}
    ]  # fmt: skip
    assert document["measures"]["team"]["OWN"]["value"] == "0.6000"
    (found,) = document["accomplishments"]
    assert (found["verified"], found["verified_on"], found["verified_by"]) == (True, "2026-05-02", stranger)
    assert "Sand" not in str(made)
    for place, sources in (
        ("/accomplishments/0", [f"accomplishment/{claimed['id']}"]),
        ("/measures/team/OWN", [f"own_measures/{each['id']}" for each in (january, last)] + [f"target/{target['id']}"]),
    ):
        answer = await staff.world.admin.get(f"/v1/reviews/{made['id']}/explain", params={"path": place})
        opened = answer.json()
        assert opened["definition"]["formula"]
        assert {each["subject"] for each in opened["sources"]} == set(sources)
        assert all(each["events"] for each in opened["sources"])
    headers = token_headers(staff.world.settings, "reviews:write", member=stranger)
    async with client_of(staff.world.origin, headers) as client:
        outside = (await client.get(f"/v1/reviews/{made['id']}")).json()["document"]["accomplishments"]
    assert outside == [found | {"claimed_by": None, "verified_by": None}], "outside the team nobody is named"
    page = (await staff.world.admin.get(f"/reviews/{made['id']}")).text
    assert "verified on 2026-05-02 by Somebody" in page
    assert "reached to 60.0" in page
    assert "confirmed when its period had begun" in page
    await staff.made(f"{path}/withdraw", {"on": "2026-05-03"})
    await heard(staff, verified | {"version": 3})
    assert (await reviewed(staff))["document"]["accomplishments"] == []


async def test_a_score_is_told_apart_from_its_training_and_counts_in_reviews(world: World) -> None:
    staff = await staffed(world)
    await switched_on(world)
    people = await a_team(staff, 3)
    course = await staff.made("courses", {"name": "To work as one"})
    made = []
    for member, score in zip(people, (80, 65, None), strict=True):
        training = await staff.made("trainings", {"member": member, "course": course["id"], "on": "2026-01-05"})
        ended = {"on": "2026-02-01"} | ({"score_after": score} if score is not None else {})
        made.append(await as_kind(staff, "training", f"trainings/{training['id']}/complete", ended))
    scored = [{"kind": "check", "id": each["id"], "version": 1} for each in made[:2]]
    await heard(staff, *made, *scored)
    rules = await staff.get("rule-sets/built-in")
    await staff.made("rule-sets", {"rules": merged(rules, {"training": {"courses": [course["id"]]}})})
    unknown = (await reviewed(staff))["document"]["measures"]["team"]["TP8"]
    assert unknown["missing"] == "of 1 members who took one it is not known whether they passed its check"
    await staff.made(f"trainings/{made[2]['id']}/correct", {"score_after": 75})
    again = await staff.made(f"trainings/{made[1]['id']}/correct", {"score_after": 60})
    await heard(staff, {"kind": "check", "id": made[2]["id"], "version": 1}, scored[1] | {"version": 2})
    found = (await reviewed(staff))["document"]["measures"]["team"]["TP8"]
    assert (found["numerator"], found["n"]) == ("2.0000", "3.0000"), "70 is enough, 60 is not"
    assert again["score_after"] == 60
    kinds = {}
    for scope in ("trainings:read", "trainings:write"):
        headers = token_headers(staff.world.settings, "events:read", scope, department="hr")
        async with client_of(staff.world.origin, headers) as client:
            answer = await client.get("/v1/events", params={"types": "concert.teams.*"})
        kinds[scope] = {name for name in ("check-scored", "training-completed") if name in answer.text}
    assert kinds == {
        "trainings:read": {"training-completed"},
        "trainings:write": {"training-completed", "check-scored"},
    }


async def test_a_token_leads_from_a_setback_to_its_member_until_they_are_erased(world: World) -> None:
    staff = await staffed(world)
    await switched_on(world)
    people = await a_team(staff, 3)
    ada = people[0]
    made, day = [], date(2025, 10, 1)
    while day < date(2026, 4, 1):
        if day.weekday() < 5:
            body = {"metric": "activities", "scope": {"level": "member", "ref": ada}, "on": f"{day}", "value": "4"}
            made.append(await as_kind(staff, "reading", "readings", body))
        day += timedelta(days=1)
    for on in ("2026-01-12", "2026-02-09", "2026-03-09"):
        happened: dict[str, Any] = {"member": ada, "kind": "rejection", "severity": 2, "at": f"{on}T09:00:00Z"}
        made.append(await as_kind(staff, "setback", "setbacks", happened))
    for first in range(0, len(made), 50):
        await heard(staff, *made[first : first + 50])
    await heard(staff, {"kind": "person", "id": ada, "version": 2})
    review = await reviewed(staff)
    assert "IB8" not in review["document"]["measures"]["members"][ada]
    headers = token_headers(staff.world.settings, "reviews:read", member=ada)
    async with client_of(staff.world.origin, headers) as client:
        own = (await client.get(f"/v1/reviews/{review['id']}")).json()["document"]["measures"]["members"][ada]
    assert (own["IB8"]["value"], own["IB8"]["n"]) == ("1.0000", "3.0000")
    await staff.does(ada, "leave", on="2026-04-01")
    erased = await staff.world.admin.delete(f"/v1/members/{ada}/personal-data")
    assert erased.status_code in (200, 204), erased.text
    await heard(staff, {"kind": "person", "id": ada, "version": 3})
    select = sa.select(PersonFact).where(PersonFact.__table__.c.id == ada)  # type: ignore[attr-defined]
    store = staff.world.services["metrics"].runtime.store
    kept = await store.read(lambda snapshot: snapshot.all(PersonFact, select))
    assert all(each.token is None for each in kept), "nothing leads from what happened to the member any more"
