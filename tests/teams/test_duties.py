"""Duties, recognitions, challenges and the public picture over HTTP: the rules, and what hr sees of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metrics.test_certificate import settled_verdict
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers


async def a_duty(staff: Staff, to: dict[str, str], **fields: Any) -> str:
    body = {"title": "Call the ten largest", "assigned_to": to, "on": "2026-02-01"} | fields
    duty: str = (await staff.made("duties", body))["id"]
    return duty


async def as_member(staff: Staff, member: str, path: str, body: Any) -> Any:
    """A write by a member."""
    headers = token_headers(staff.world.settings, "duties:write", "recognitions:write", member=member)
    async with client_of(staff.world.origin, headers) as client:
        return await client.post(f"/v1/{path}", json=body)


async def test_a_duty_is_done_returned_done_again_and_accepted(staff: Staff) -> None:
    ada, boss = await staff.recruited(), await staff.recruited()
    path = f"duties/{await a_duty(staff, {'member': ada}, due='2026-02-10', receiver=boss)}"
    done = await staff.made(f"{path}/done", {"on": "2026-02-09"})
    assert (done["status"], done["done_by"], done["on_time"]) == ("done", ada, True)
    back = await staff.made(f"{path}/return", {"on": "2026-02-10", "by": boss, "reason": "Two are missing"})
    assert (back["status"], back["returned"], back["reason"]) == ("assigned", 1, "Two are missing")
    late = await staff.made(f"{path}/done", {"on": "2026-02-12"})
    assert late["on_time"] is False
    accepted = await staff.made(f"{path}/accept", {"on": "2026-02-13", "by": boss})
    assert (accepted["status"], accepted["judged_by"]) == ("accepted", boss)
    shown = [(await staff.get(path, on=f"2026-02-{day}"))["status"] for day in ("08", "09", "11", "12", "13")]
    assert shown == ["assigned", "done", "assigned", "done", "accepted"]
    assert (await staff.get(path, on="2026-02-11"))["overdue"] is True
    assert "Two are missing" not in str(await staff.get(f"{path}/history"))


async def test_a_duty_is_not_accepted_by_its_own_doer(staff: Staff) -> None:
    ada, boss, other = [await staff.recruited() for _ in range(3)]
    path = f"duties/{await a_duty(staff, {'member': ada}, receiver=boss)}"
    await as_member(staff, ada, f"{path}/done", {"on": "2026-02-05"})
    own = await as_member(staff, ada, f"{path}/accept", {"on": "2026-02-06"})
    assert problem(own, 409, "/by") == f"Nobody accepts or returns what they have done themselves; {boss} does."
    for_them = await staff.post(f"{path}/accept", {"on": "2026-02-06", "by": ada})
    assert problem(for_them, 409, "/by") == f"Nobody accepts or returns what they have done themselves; {boss} does."
    assert (await staff.get(path))["status"] == "done"
    # Whom it does not concern does not find it; in whose name a tool speaks, is told.
    assert (await as_member(staff, other, f"{path}/accept", {"on": "2026-02-06"})).status_code == 404
    strange = await staff.post(f"{path}/accept", {"on": "2026-02-06", "by": other})
    assert problem(strange, 409, "/by") == f"What was done is received by {boss}, not by {other}."
    fine = await as_member(staff, boss, f"{path}/accept", {"on": "2026-02-06"})
    assert fine.status_code == 200, fine.text


async def test_who_belongs_to_the_group_that_did_it_does_not_accept_it_either(staff: Staff) -> None:
    ada, bob = await staff.recruited(), await staff.recruited()
    for member in (ada, bob):
        await staff.does(member, "join", group=staff.group, since="2026-01-02")
    stranger = await staff.recruited()
    path = f"duties/{await a_duty(staff, {'group': staff.group})}"
    assert stranger in problem(await staff.post(f"{path}/done", {"by": stranger, "on": "2026-02-05"}), 409, "/by")
    done = await staff.made(f"{path}/done", {"by": ada, "on": "2026-02-05"})
    assert done["assigned_to"] == {"member": None, "group": staff.group}
    problem(await as_member(staff, bob, f"{path}/accept", {"on": "2026-02-06"}), 409, "/by")
    assert (await as_member(staff, stranger, f"{path}/accept", {"on": "2026-02-06"})).status_code == 404
    await staff.made(f"{path}/accept", {"on": "2026-02-06", "by": stranger})


async def test_days_that_cannot_be_are_refused(staff: Staff) -> None:
    ada = await staff.recruited()
    path = f"duties/{await a_duty(staff, {'member': ada})}"
    assert "2026-02-01" in problem(await staff.post(f"{path}/done", {"on": "2026-01-31"}), 422, "/on")
    assert "is assigned" in problem(await staff.post(f"{path}/accept", {"on": "2026-02-05"}), 409)
    await staff.made(f"{path}/done", {"on": "2026-02-05"})
    assert "2026-02-05" in problem(await staff.post(f"{path}/accept", {"on": "2026-02-04"}), 422, "/on")
    twice = {"title": "X", "assigned_to": {"member": ada, "group": staff.group}}
    problem(await staff.post("duties", twice), 422, "/assigned_to")
    due = {"title": "X", "assigned_to": {"member": ada}, "on": "2026-02-01", "due": "2026-01-31"}
    problem(await staff.post("duties", due), 422, "/due")


async def test_a_duty_serves_a_goal_that_targets_knows(staff: Staff) -> None:
    ada = await staff.recruited()
    goal = await staff.made("goals", {"title": "Grow", "period": "2026", "external": {"source": "plan", "id": "grow"}})
    duty = await staff.made("duties", {"title": "X", "assigned_to": {"member": ada}, "goal": "ext:plan:grow"})
    assert duty["goal"] == goal["id"]
    assert duty["id"] in await staff.ids("duties", goal="ext:plan:grow")
    unknown = {"title": "X", "assigned_to": {"member": ada}, "goal": "goal_none"}
    assert "no goal goal_none is known here" in problem(await staff.post("duties", unknown), 422, "/goal")


async def test_thanks_are_for_something_that_was_done_and_never_for_oneself(staff: Staff) -> None:
    ada, bob = await staff.recruited(), await staff.recruited()
    duty = await a_duty(staff, {"member": ada})
    about = {"kind": "duty", "ref": duty}
    early = await as_member(staff, bob, "recognitions", {"to": [ada], "about": about})
    assert "is assigned, not done" in problem(early, 422, "/about/ref")
    await staff.made(f"duties/{duty}/done", {"on": "2026-02-05"})
    given = await as_member(staff, bob, "recognitions", {"to": [ada], "about": about, "note": "Splendid"})
    assert given.status_code == 201, given.text
    assert (given.json()["by"], given.json()["about"]) == (bob, about)
    assert "Splendid" not in str(await staff.get(f"recognitions/{given.json()['id']}/history"))
    wrong = await as_member(staff, ada, "recognitions", {"to": [bob], "about": about})
    assert f"was not done by {bob}" in problem(wrong, 422, "/to")
    own = await as_member(staff, ada, "recognitions", {"to": [ada], "about": about})
    assert "themselves" in problem(own, 409, "/to")
    deal = {"to": [ada], "about": {"kind": "deal"}}
    problem(await staff.post("recognitions", deal), 422, "/about")


async def test_a_challenge_is_of_a_team_or_group_and_names_nobody(staff: Staff) -> None:
    body = {"name": "A hundred visits", "group": staff.group, "from": "2026-03-01", "to": "2026-04-01"}
    made = await staff.made("challenges", body)
    assert (made["team"], made["group"], made["from"], made["to"]) == (
        staff.north, staff.group, "2026-03-01", "2026-04-01",
    )  # fmt: skip
    assert not {"member", "members", "ranking"} & made.keys()
    early = await staff.post(f"challenges/{made['id']}/end", {"reached": True, "on": "2026-02-28"})
    assert "2026-03-01" in problem(early, 422, "/on")
    over = await staff.made(f"challenges/{made['id']}/end", {"reached": True, "on": "2026-04-01"})
    assert (over["reached"], over["over_on"]) == (True, "2026-04-01")
    problem(await staff.patch(f"challenges/{made['id']}", {"aim": "More"}), 409)
    problem(await staff.post("challenges", body | {"to": "2026-03-01"}), 422, "/to")
    problem(await staff.post("challenges", {"name": "X", "from": "2026-03-01", "to": "2026-04-01"}), 422, "")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"kind": "rating"}, ""),
        ({"kind": "rating", "score": "11", "out_of": "10"}, ""),
        ({"kind": "rating", "score": 4.5}, "/score"),
        ({"kind": "review", "url": "javascript:alert(1)"}, "/url"),
        ({"kind": "praise"}, "/kind"),
        ({"kind": "complaint", "customer": "cust_none"}, "/customer"),
    ],
)
async def test_a_public_opinion_that_cannot_be_is_refused(staff: Staff, fields: Any, place: str) -> None:
    problem(await staff.post("reputation", {"source": "trustpilot"} | fields), 422, place)


async def test_hr_counts_duties_thanks_and_the_public_picture(each_staff: Staff) -> None:
    staff = each_staff
    ada, bob = await staff.recruited(), await staff.recruited()
    await staff.does(ada, "join", team=staff.north, since="2026-01-02")
    first = await a_duty(staff, {"member": ada}, due="2026-02-10")
    second = await a_duty(staff, {"member": bob}, due="2026-02-10")
    await staff.made(f"duties/{first}/done", {"on": "2026-02-09"})
    await staff.made(f"duties/{second}/done", {"on": "2026-03-09"})
    await staff.made(f"duties/{second}/return", {"on": "2026-04-09"})
    await staff.made(f"duties/{second}/done", {"on": "2026-05-09"})
    thanks = {"to": [ada, bob], "about": {"kind": "other"}, "on": "2026-02-20", "note": "Both of you"}
    await staff.made("recognitions", thanks)
    for score, out_of, kind in (("4.5", "5", "rating"), ("6", "10", "review"), (None, "5", "complaint")):
        said = {"kind": kind, "source": "web", "on": "2026-02-21", "out_of": out_of} | (
            {"score": score} if score else {}
        )
        last = await staff.post("reputation", said)
    await staff.world.settled("/v1/views", last, period="2026")

    async def seen(period: str, **query: str) -> tuple[Any, ...]:
        views = (await staff.get("views", period=period, **query))["views"]
        hr = views["hr"]["figures"]
        on_time = hr["duties_on_time"] and (hr["duties_on_time"]["numerator"], hr["duties_on_time"]["denominator"])
        return hr["duties_open"], hr["duties_overdue"], on_time, hr["recognitions"]

    assert await seen("2026-02") == (1, 1, (1, 1), 1)
    assert await seen("2026-03") == (0, 0, (0, 1), 0)
    assert await seen("2026-04") == (1, 1, None, 0)
    assert await seen("2026-05") == (0, 0, (0, 1), 0)
    assert await seen("2026-02", team=staff.north) == (0, 0, (1, 1), 1)
    views = (await staff.get("views", period="2026-02"))["views"]
    assert views["sales"]["figures"]["reputation"] == views["hr"]["figures"]["reputation"] == {
        "score": "3.75", "out_of": "5", "ratings": 2, "complaints": 1,
    }  # fmt: skip
    for figure, refs in (("duties_open", [second]), ("duties_overdue", [second]), ("duties_on_time", [first])):
        rows = (await staff.get("views/hr/rows", figure=figure, period="2026-02"))["items"]
        assert [row["ref"] for row in rows] == refs, figure
    await settled_verdict(staff.world, "consistent")


async def test_a_challenge_shows_no_order_and_nobodys_figure(staff: Staff) -> None:
    """Whatever its members have sold: no place, no name, no amount, in no answer, list, history or event."""
    team = (await staff.made("teams", {"name": "Ranked"}))["id"]
    sellers = [await staff.recruited(name=f"Rank Candidate {place}") for place in range(3)]
    for place, member in enumerate(sellers):
        await staff.does(member, "join", team=team, since="2026-01-02")
        token = f"member/{member}@{(await staff.get(f'members/{member}'))['version']}"
        await staff.get("deals", after=token, limit=1)
        deal = (await staff.made("deals", {"owner": member, "opened_on": "2026-03-02"}))["id"]
        value = {"amount": f"{7001 + place}.00", "currency": "EUR"}
        await staff.made(f"deals/{deal}/win", {"on": "2026-03-10", "value": value})
    body = {"name": "All of spring", "team": team, "from": "2026-03-01", "to": "2026-06-01"}
    made = await staff.made("challenges", body)
    ended = await staff.made(f"challenges/{made['id']}/end", {"reached": True, "on": "2026-06-01"})
    answers = [made, ended, await staff.get(f"challenges/{made['id']}"), await staff.get("challenges"),
               await staff.get(f"challenges/{made['id']}/history")]  # fmt: skip
    for answer in answers:
        text = str(answer)
        assert not [word for word in (*sellers, "Rank Candidate", "7001", "7002", "7003") if word in text]
    fields = {"id", "version", "externals", "name", "aim", "team", "group", "goal", "from", "to", "reached",
              "over_on"}  # fmt: skip
    assert set(ended) == fields
