"""A question is put to departments, each answers, a decision closes it; broken promises come on the agenda."""

from __future__ import annotations

from typing import Any

import httpx

from shared.identity.scopes import member_scopes, tool_scopes
from tests.meetings.office import Office, problem
from tests.world import client_of, token_headers

MONDAY = "2026-03-16T08:00:00Z"


async def consultative(office: Office, **fields: Any) -> str:
    """A consultative meeting of it and hr that runs."""
    body = {"name": "Prices", "kind": "consultative", "departments": ["it", "hr"], "starts_at": MONDAY}
    meeting = str((await office.world.made("/v1/meetings", body | fields))["id"])
    await office.world.made(f"/v1/meetings/{meeting}/start", {"at": MONDAY})
    return meeting


async def question(office: Office, meeting: str, **fields: Any) -> dict[str, Any]:
    """A question on its table."""
    body = {"kind": "question", "title": "Which price?", "meeting": meeting, "on": "2026-03-16"}
    return await office.world.made("/v1/items", body | fields)


async def answers(office: Office, item: str, department: str) -> httpx.Response:
    """What a department answers."""
    body = {"department": department, "text": "The old one", "on": "2026-03-16"}
    return await office.world.post(f"/v1/items/{item}/answers", body)


async def test_who_has_not_answered_yet_is_shown_until_all_have(standing: Office) -> None:
    meeting = await consultative(standing)
    asked = await question(standing, meeting)
    assert (asked["to"], asked["waiting_for"]) == (["it", "hr"], ["it", "hr"])
    some = await question(standing, meeting, to=["hr"])
    assert some["to"] == ["hr"]
    answered = await answers(standing, asked["id"], "hr")
    assert answered.json()["waiting_for"] == ["it"]
    problem(await answers(standing, asked["id"], "sales"), 422, "/department", "put to it, hr; sales was not asked")
    listed = (await standing.get(f"/v1/meetings/{meeting}/items"))["items"]
    assert {each["id"]: each["waiting_for"] for each in listed} == {asked["id"]: ["it"], some["id"]: ["hr"]}
    assert (await answers(standing, asked["id"], "it")).json()["waiting_for"] == []
    series = {"name": "Advice", "kind": "consultative", "departments": ["sales"], "teams": [], "zone": "UTC",
              "rrule": "FREQ=WEEKLY;BYDAY=MO", "starts_at": MONDAY}  # fmt: skip
    planned = (await standing.world.made("/v1/series", series))["id"]
    of_series = await standing.world.made("/v1/items", {"kind": "question", "title": "?", "series": planned})
    assert of_series["to"] == ["sales"]
    news = await standing.world.made("/v1/items", {"kind": "news", "title": "Fair", "series": planned})
    assert (news["to"], news["waiting_for"]) == ([], [])


async def test_a_decision_closes_a_question_and_says_why_if_not_all_have_answered(standing: Office) -> None:
    meeting = await consultative(standing)
    asked = await question(standing, meeting)
    await answers(standing, asked["id"], "hr")
    path = f"/v1/items/{asked['id']}"
    problem(await standing.world.post(f"{path}/resolve", {"on": "2026-03-16"}), 409, "/note", "it did not answer yet")
    decision = {"meeting": meeting, "kind": "decision", "text": "The old price", "item": asked["id"]}
    problem(await standing.world.post("/v1/outcomes", decision), 409, "/note", "it did not answer yet")
    assert (await standing.get("/v1/outcomes", meeting=meeting))["items"] == []
    recorded = await standing.world.made("/v1/outcomes", decision | {"note": "It is on holiday"})
    closed = await standing.get(path)
    assert (closed["status"], closed["decision"], closed["note"]) == ("resolved", recorded["id"], "It is on holiday")
    problem(await answers(standing, asked["id"], "it"), 409, "", "was resolved on 2026-03-16")
    other = await standing.world.admin.patch(f"/v1/outcomes/{recorded['id']}", json={"item": None},
                                             headers={"If-Match": '"1"'})  # fmt: skip
    problem(other, 422, "/item", "has closed its question")
    await standing.world.made(f"/v1/outcomes/{recorded['id']}/withdraw", {})
    assert ((await standing.get(path))["status"], (await standing.get(path))["decision"]) == ("open", None)
    await answers(standing, asked["id"], "it")
    await standing.world.made("/v1/outcomes", decision)
    assert (await standing.get(path))["status"] == "resolved"


async def test_what_departments_have_promised_each_other_and_not_done_is_on_their_joint_agenda(
    standing: Office,
) -> None:
    made = standing.world.made
    late = (await standing.asks(at="2026-03-01T09:00:00Z", promised_by="2026-03-10")).json()
    done = (await standing.asks(at="2026-03-01T09:00:00Z", promised_by="2026-03-10")).json()
    await made(f"/v1/requests/{done['id']}/resolve", {"at": "2026-03-12T09:00:00Z"})
    again = (await standing.asks(at="2026-03-01T09:00:00Z", promised_by="2026-03-10")).json()
    await made(f"/v1/requests/{again['id']}/resolve", {"at": "2026-03-09T09:00:00Z"})
    await made(f"/v1/requests/{again['id']}/reopen", {"at": "2026-03-11T09:00:00Z", "reason": "No"})
    await standing.asks(at="2026-03-01T09:00:00Z", promised_by="2026-03-20")
    await standing.asks(at="2026-03-01T09:00:00Z", promised_by="2026-03-10", to={"department": "hr"})
    body = {"name": "All", "kind": "joint", "departments": ["sales", "it"], "starts_at": MONDAY}
    meeting = (await made("/v1/meetings", body))["id"]
    agenda = (await standing.get(f"/v1/meetings/{meeting}/agenda"))["requests"]
    assert {each["id"]: each["reopened"] for each in agenda} == {late["id"]: 0, again["id"]: 1}
    assert (agenda[0]["from"], agenda[0]["to"], agenda[0]["promised_by"]) == ("sales", "it", "2026-03-10")
    team = (await made("/v1/meetings", {"name": "We", "teams": [standing.team], "starts_at": MONDAY}))["id"]
    assert (await standing.get(f"/v1/meetings/{team}/agenda"))["requests"] == []


async def test_the_views_show_who_keeps_promises_to_whom_and_how_problems_go(lone: Office) -> None:
    made, world = lone.world.made, lone.world
    for number, day in enumerate(("02", "03", "09")):
        asked = (await lone.asks(at="2026-03-01T09:00:00Z", promised_by="2026-03-05")).json()
        await made(f"/v1/requests/{asked['id']}/resolve", {"at": f"2026-03-{day}T09:00:00Z"})
        assert number < 3
    meeting = (await made("/v1/meetings", {"name": "We", "teams": [lone.team], "starts_at": MONDAY}))["id"]
    await made(f"/v1/meetings/{meeting}/start", {"at": MONDAY})
    items = [
        (await made("/v1/items", {"kind": "problem", "title": "x", "meeting": meeting, "on": "2026-03-16"}))["id"]
        for _ in range(3)
    ]
    await made(f"/v1/items/{items[0]}/resolve", {"on": "2026-03-17"})
    await made(f"/v1/items/{items[1]}/resolve", {"on": "2026-03-17"})
    await made(f"/v1/items/{items[1]}/reopen", {"on": "2026-03-18"})
    ended = await world.post(f"/v1/meetings/{meeting}/end", {"at": "2026-03-16T09:30:00Z"})
    token = await world.post(f"/v1/items/{items[2]}/resolve", {"on": "2026-04-01"})
    after = [ended.headers["concert-version"], token.headers["concert-version"]]
    after += [f"item/{items[1]}@3", f"request/{asked['id']}@2"]

    async def view(path: str, **query: str) -> Any:
        asking: dict[str, Any] = {"period": "2026-03", "after": after, **query}
        answer = await world.admin.get(f"/v1/views/{path}", params=asking,
                                       headers={"Prefer": "wait=20"})  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.json()

    it, hr = (await view("it"))["figures"], (await view("hr"))["figures"]
    assert it["on_time_by_pair"] == {"sales>it": {"rate": "0.666667", "numerator": 2, "denominator": 3}}
    assert (it["problems_open"], it["problems_solved"]) == (hr["problems_open"], hr["problems_solved"]) == (2, 2)
    assert (hr["meetings_held"], hr["meeting_hours"]) == (1, "1.50")
    for figure, count in (("problems_open", 2), ("problems_solved", 2), ("meetings_held", 1)):
        assert len((await view("hr/rows", figure=figure))["items"]) == count, figure
    assert len((await view("it/rows", figure="on_time_by_pair"))["items"]) == 3
    by_team = await view("hr", team=lone.team)
    assert (by_team["figures"]["meetings_held"], by_team["figures"]["problems_open"]) == (1, None)
    assert "all tables" in str(by_team["notes"])


async def test_only_who_is_in_a_department_or_leads_a_team_of_it_answers_for_it(standing: Office) -> None:
    world = standing.world
    lead = await world.post("/v1/members", {"name": "Lea", "department": "hr", "starts_on": "2026-01-01"})
    team = await world.post("/v1/teams", {"name": "Desk", "department": "it", "leader": lead.json()["id"]})
    for made in (lead, team):
        await world.settled("/v1/series", made)
    asked = await question(standing, await consultative(standing))
    body = {"text": "The old one", "on": "2026-03-16"}

    async def answer_by(member: str, department: str, **more: str) -> httpx.Response:
        headers = token_headers(world.settings, *member_scopes("it"), member=member)
        async with client_of(world.origin, headers) as client:
            return await client.post(f"/v1/items/{asked['id']}/answers", json={**body, "department": department})

    # Ada sells; Ivo is in IT; Lea is in hr and leads a team of IT.
    refused = await answer_by(standing.ada, "it")
    problem(refused, 409, "/department", f"{standing.ada} is not in it on ")
    problem(refused, 409, "/department", "leads no team of it; only who is or does answers for it")
    problem(await answer_by(standing.ivo, "hr"), 409, "/department", f"{standing.ivo} is not in hr")
    for who, department in ((standing.ivo, "it"), (lead.json()["id"], "it"), (lead.json()["id"], "hr")):
        given = await answer_by(who, department)
        assert given.status_code == 200, given.text
        assert who in [each["by"] for each in given.json()["answers"]]
    headers = token_headers(world.settings, *tool_scopes("hr"), department="hr")
    async with client_of(world.origin, headers) as tool:
        row = {"do": "answers", "item": asked["id"], **body, "department": "hr"}
        assert '"status":200' in (await tool.post("/v1/items/bulk", json=[row])).text


async def test_a_tool_answers_for_its_own_department_and_those_whose_views_it_reads(standing: Office) -> None:
    world = standing.world
    body = {"departments": ["it", "hr", "finance"]}
    asked = await question(standing, await consultative(standing, **body))

    async def answer_of(department: str, *scopes: str, tool: str | None = None) -> httpx.Response:
        async with client_of(world.origin, token_headers(world.settings, *scopes, department=tool)) as client:
            given = {"text": "The old one", "on": "2026-03-16", "department": department}
            return await client.post(f"/v1/items/{asked['id']}/answers", json=given)

    refused = await answer_of("finance", *tool_scopes("hr"), tool="hr")
    problem(refused, 409, "/department", "this one is of hr and does not hold views.finance:read")
    problem(await answer_of("it", "items:write"), 409, "/department", "this one is of no department")
    for department, scopes, tool in (
        ("hr", tool_scopes("hr"), "hr"), ("it", ("items:write", "views.it:read"), None),
        ("finance", ("items:write", "views:read"), "hr"), ("it", ("admin",), None),
    ):  # fmt: skip
        given = await answer_of(department, *scopes, tool=tool)
        assert given.status_code == 200, given.text
    assert given.json()["waiting_for"] == []
