"""Reviews over HTTP: made from the facts of the other services, decided, commented, opened, verified; and for whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from services.metrics.review import rule_set
from tests.charter import switched_on
from tests.teams.conftest import Staff, problem, staffed
from tests.world import World, client_of, token_headers, world

QUARTER = {"from": "2026-01-05", "to": "2026-04-06"}


@dataclass
class House:
    """A team of five with a quarter's work, and somebody of IT whom it asks."""

    staff: Staff
    team: str
    people: list[str]
    it: str
    last: Any

    async def reviewed(self, **more: Any) -> dict[str, Any]:
        return await self.staff.made("reviews", {"team": self.team, "period": QUARTER} | more)

    async def explained(self, review: str, path: str) -> Any:
        answer = await self.staff.world.admin.get(f"/v1/reviews/{review}/explain", params={"path": path})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def as_member(self, member: str, method: str, path: str, *scopes: str, body: Any = None) -> Any:
        headers = token_headers(self.staff.world.settings, *scopes, member=member)
        async with client_of(self.staff.world.origin, headers) as client:
            return await client.request(method, f"/v1/{path}", json=body)


async def at_work(staff: Staff) -> House:
    """People recruited, met, asked and answered; reviews are switched on."""
    await switched_on(staff.world)
    team = (await staff.made("teams", {"name": "Reviewed"}))["id"]
    people = [await staff.recruited() for _ in range(5)]
    it = await staff.recruited(department="it")
    for each in people:
        await staff.does(each, "join", team=team, since="2026-01-02")
    now = await staff.world.admin.get(f"/v1/teams/{team}")
    changed = await staff.patch(f"teams/{team}", {"leader": people[0]})
    assert changed.status_code == 200, (changed.text, now.text)
    heard = await staff.world.settled("/v1/series", changed)
    assert heard is None or heard
    for week in range(8):
        asked = {"kind": "support", "title": "Please", "from": {"member": people[week % 2]}, "to": {"member": it},
                 "at": f"2026-02-{week + 2:02d}T09:00:00Z", "promised_by": "2026-02-20"}  # fmt: skip
        request = await staff.made("requests", asked)
        if week < 3:
            await staff.made(f"requests/{request['id']}/resolve", {"at": "2026-02-19T09:00:00Z"})
        about = {"title": "Call them", "owner": people[week % 5], "due": f"2026-02-{week + 10:02d}", "on": "2026-02-01",
                 "helpers": [people[0]] if week % 5 else []}  # fmt: skip
        action = await staff.made("actions", about)
        last = await staff.post(f"actions/{action['id']}/done", {"on": f"2026-02-{week + 9:02d}"})
    return House(staff, team, people, it, last)


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with world(tmp_path_factory.mktemp("house")) as concert:
        found = await at_work(await staffed(concert))
        await concert.settled("/v1/views", found.last, period="2026")
        yield found


async def test_a_review_speaks_of_what_the_team_did(house: House) -> None:
    found = await house.reviewed()
    team = found["document"]["measures"]["team"]
    assert (team["TP3"]["numerator"], team["TP3"]["n"]) == ("3.0000", "8.0000")
    assert (team["IB4"]["numerator"], team["IB4"]["n"]) == ("8.0000", "8.0000")
    assert team["COM"]["missing"] == "there is no TP4, no TP5"
    assert found["document"]["recommendation"]["class"] == "NOT ENOUGH DATA"
    assert "8 of at least 10 needs of others" in found["document"]["recommendation"]["missing"]
    assert set(found["document"]["measures"]["members"]) == set(house.people)
    edges = found["document"]["associations"]["edges"]
    pair = "~".join(sorted((house.people[0], house.it)))
    assert edges[pair]["channels"] == {"requests": {"points": "2.0000", "times": 4}}


async def test_what_is_as_it_was_gives_no_new_revision(house: House) -> None:
    first, again = await house.reviewed(), await house.reviewed()
    assert (first["id"], first["version"]) == (again["id"], again["version"])
    assert first["inputs_hash"] == again["inputs_hash"]


async def test_every_number_opens_down_to_what_it_is_made_of(house: House) -> None:
    review = (await house.reviewed())["id"]
    found = await house.explained(review, "/measures/team/TP3")
    assert found["value"]["n"] == "8.0000"
    assert (found["definition"]["id"], found["definition"]["least"]) == ("TP3", 8)
    assert len(found["sources"]) == 8
    events = await house.staff.get(found["sources"][0]["events"].removeprefix("/v1/"))
    assert events["items"][0]["type"] == "concert.meetings.request-made.v1"
    index = await house.explained(review, "/measures/team/COM")
    assert index["parts"] == [f"/measures/team/{each}" for each in ("TP4", "TP3", "TP5")]
    unknown = await house.staff.world.admin.get(f"/v1/reviews/{review}/explain", params={"path": "/nothing/there"})
    problem(unknown, 404, "/path")


async def test_deciding_otherwise_needs_a_reason_and_is_told_without_it(house: House) -> None:
    review = (await house.reviewed())["id"]
    strange = await house.staff.post(f"reviews/{review}/decide", {"options": ["O99"]})
    assert "O99 is not among the options" in problem(strange, 422, "/options")
    early = await house.staff.post(f"reviews/{review}/verification", {"starts_on": "2026-06-01"})
    assert "Nothing has been decided" in problem(early, 409)
    decided = await house.staff.made(f"reviews/{review}/decide", {"options": ["O0"], "on": "2026-04-10"})
    assert (decided["decided"], decided["decided_on"]) == (["O0"], "2026-04-10")
    twice = await house.staff.post(f"reviews/{review}/decide", {"options": ["O0"], "on": "2026-04-11"})
    assert "O0 was decided on 2026-04-10" in problem(twice, 409)
    history = (await house.staff.get(f"reviews/{review}/history"))["items"]
    told = history[-1]
    assert told["type"] == "concert.metrics.action-decided.v1"
    assert (told["data"]["options"], told["data"]["deviates"]) == (["O0"], False)
    assert told["data"]["members"] == sorted(house.people)


async def test_an_effect_is_not_judged_without_a_baseline(house: House) -> None:
    review = (await house.reviewed(period={"from": "2026-01-05", "to": "2026-03-30"}))["id"]
    await house.staff.made(f"reviews/{review}/decide", {"options": ["O0"]})
    none = await house.staff.world.admin.get(f"/v1/reviews/{review}/verification")
    assert "without a baseline" in problem(none, 409)
    early = await house.staff.post(f"reviews/{review}/verification", {"starts_on": "2026-04-20"})
    assert "at least 6 weeks" in problem(early, 422, "/starts_on")
    planned = await house.staff.made(
        f"reviews/{review}/verification", {"starts_on": "2026-06-01", "comparison": house.staff.south}
    )
    assert planned["plan"]["baseline_weeks"] == 9
    again = await house.staff.post(f"reviews/{review}/verification", {"starts_on": "2026-07-01"})
    assert "fixed before 2026-06-01" in problem(again, 409)
    found = await house.staff.get(f"reviews/{review}/verification")
    assert (found["estimate"], found["verdict"]) == (None, "not yet known")
    assert "at least 4 are needed" in found["note"]


async def test_a_member_sees_themselves_and_the_team_a_manager_only_the_team(house: House) -> None:
    review = (await house.reviewed())["id"]
    lead, one, other = house.people[:3]
    path = f"reviews/{review}"
    whole = (await house.as_member(lead, "GET", path, "reviews:write")).json()["document"]
    assert set(whole["measures"]["members"]) == set(house.people)
    mine = (await house.as_member(one, "GET", path, "reviews:read")).json()["document"]
    assert set(mine["measures"]["members"]) == {one}
    assert [each["member"] for each in mine["contributions"]] == [one]
    assert "edges" in mine["associations"]
    manager = (await house.as_member(house.it, "GET", path, "reviews:write")).json()["document"]
    assert manager["measures"]["members"] == {}
    assert not any(each in str(manager) for each in house.people)
    stranger = await house.as_member(house.it, "GET", path, "reviews:read")
    assert stranger.status_code == 404
    hidden = await house.as_member(one, "GET", f"{path}/explain?path=/measures/members/{other}/IB4", "reviews:read")
    assert hidden.status_code == 404
    own = await house.as_member(one, "GET", f"{path}/explain?path=/measures/members/{one}/IB4", "reviews:read")
    assert own.json()["sources"]


async def test_the_team_comments_and_no_event_says_what(house: House) -> None:
    review = (await house.reviewed())["id"]
    said = await house.as_member(house.people[1], "POST", f"reviews/{review}/comments", "reviews:read",
                                 body={"text": "We moved house in March"})  # fmt: skip
    assert said.json()["comments"][-1]["text"] == "We moved house in March"
    assert "moved house" not in str(await house.staff.get(f"reviews/{review}/history"))
    stranger = await house.as_member(house.it, "POST", f"reviews/{review}/comments", "reviews:read", body={"text": "?"})
    assert stranger.status_code == 404


async def test_scorecards_and_the_graph_are_for_whom_they_are_meant(house: House) -> None:
    one, other = house.people[1:3]
    query = "from=2026-01-05&to=2026-04-06"
    mine = await house.as_member(one, "GET", f"scorecards/members/{one}?{query}", "scorecards:read")
    assert mine.json()["measures"]["IB4"]["missing"] == "2 of at least 8 cases"
    foreign = await house.as_member(one, "GET", f"scorecards/members/{other}?{query}", "scorecards:read")
    assert foreign.status_code == 404
    lead = await house.as_member(house.people[0], "GET", f"scorecards/members/{other}?{query}", "scorecards:read")
    assert lead.status_code == 200, lead.text
    team = await house.as_member(one, "GET", f"scorecards/teams/{house.team}?{query}", "scorecards:read")
    assert team.json()["measures"]["TP3"]["n"] == "8.0000"
    graph = await house.as_member(one, "GET", f"associations?team={house.team}&{query}", "associations:read")
    assert graph.json()["associations"]["edges"]
    tool = token_headers(house.staff.world.settings, "associations:read")
    async with client_of(house.staff.world.origin, tool) as client:
        nameless = (await client.get(f"/v1/associations?team={house.team}&{query}")).json()["associations"]
    assert "edges" not in nameless
    assert nameless["needed"] == 8


async def test_a_period_that_has_not_begun_is_not_reviewed(house: House) -> None:
    early = await house.staff.post("reviews", {"team": house.team, "period": "2999"})
    assert "2999-01-01" in problem(early, 422, "/period")
    strange = await house.staff.post("reviews", {"team": "team_none", "period": "2026"})
    problem(strange, 422, "/team")


async def test_rules_that_cannot_be_are_refused_with_their_numbers(house: House) -> None:
    rules = await house.staff.get("rule-sets/built-in")
    assert rules == rule_set.built_in().model_dump(mode="json")
    swing = rules["ranking"]["swing"] | {"benefit": 0.6}
    heavy = {**rules, "ranking": rules["ranking"] | {"swing": swing}}
    assert "sum to 1.1, not to 1" in problem(
        await house.staff.post("rule-sets", {"rules": heavy}), 422, "/rules/ranking"
    )
    unknown = {**rules, "least": {"XYZ": 5}}
    assert "no measure XYZ" in problem(await house.staff.post("rule-sets", {"rules": unknown}), 422, "/rules")
    line = {**rules, "line": {"healthy": 60, "weak": 75}}
    assert "75 is not below" in problem(await house.staff.post("rule-sets", {"rules": line}), 422, "/rules/line")
    options = await house.staff.get("options/built-in")
    wrong = [options["options"][1] | {"effects": {"XYZ": {"mean": 1, "deviation": 1}}}, options["options"][0]]
    refused = await house.staff.post("options", {"version": "ours", "options": wrong})
    assert "no measure XYZ" in problem(refused, 422, "/options/0")


async def test_a_correction_makes_a_new_revision_by_the_rules_of_its_day(world: World) -> None:
    house = await at_work(await staffed(world))
    await world.settled("/v1/views", house.last, period="2026")
    first = await house.reviewed()
    rules = await house.staff.get("rule-sets/built-in")
    ours = {**rules, "version": "ours-1", "least": {"TP3": 9}}
    await house.staff.made("rule-sets", {"rules": ours})
    second = await house.reviewed()
    assert (second["revision"], second["rule_set"], first["rule_set"]) == (2, "ours-1", "oar-1")
    assert second["inputs_hash"] == first["inputs_hash"]
    assert second["document"]["measures"]["team"]["TP3"]["missing"] == "8 of at least 9 cases"
    older = await house.staff.get(f"reviews/{first['id']}")
    assert older["outdated_by"] == second["id"]
    assert older["document"] == first["document"]
    late = await house.staff.post(f"reviews/{first['id']}/decide", {"options": ["O0"]})
    assert f"{second['id']} stands for it" in problem(late, 409)
    asked = {"kind": "support", "title": "One more", "from": {"member": house.people[0]}, "to": {"member": house.it},
             "at": "2026-02-11T09:00:00Z", "promised_by": "2026-02-20"}  # fmt: skip
    await world.settled("/v1/views", await house.staff.post("requests", asked), period="2026")
    third = await house.reviewed()
    assert third["revision"] == 3
    assert third["inputs_hash"] != second["inputs_hash"]
    assert third["document"]["measures"]["team"]["TP3"]["n"] == "9.0000"
