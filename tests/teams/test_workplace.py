"""Openings, onboardings and equipment over HTTP: the rules, and what hr and it see of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metrics.test_certificate import settled_verdict
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers


async def an_opening(staff: Staff, **fields: Any) -> str:
    opening: str = (await staff.made("openings", {"title": "One more", "on": "2026-01-10"} | fields))["id"]
    return opening


async def test_an_opening_is_requested_approved_and_filled(staff: Staff) -> None:
    path = f"openings/{await an_opening(staff, job='Seller', needed_on='2026-03-01')}"
    assert (await staff.made(f"{path}/approve", {"on": "2026-01-12"}))["status"] == "approved"
    ada = await staff.recruited(starts_on="2026-02-15")
    filled = await staff.made(f"{path}/fill", {"member": ada, "on": "2026-01-30"})
    assert (filled["status"], filled["filled_by"], filled["filled_on"]) == ("filled", ada, "2026-01-30")
    shown = [(await staff.get(path, on=day))["status"] for day in ("2026-01-11", "2026-01-12", "2026-01-30")]
    assert shown == ["requested", "approved", "filled"]
    missing = await staff.world.admin.get(f"/v1/{path}", params={"on": "2026-01-09"})
    assert missing.status_code == 404
    # Who was found does not come after all.
    again = await staff.made(f"{path}/reopen", {"on": "2026-02-01"})
    assert (again["status"], again["filled_by"]) == ("approved", None)
    assert (await staff.get(path, on="2026-01-31"))["status"] == "filled"


async def test_an_opening_is_not_filled_before_it_is_approved_nor_by_somebody_who_fills_another(staff: Staff) -> None:
    first, second, ada = await an_opening(staff), await an_opening(staff), await staff.recruited(starts_on="2026-02-01")
    fill = {"member": ada, "on": "2026-02-01"}
    assert "is requested" in problem(await staff.post(f"openings/{first}/fill", fill), 409)
    for opening in (first, second):
        await staff.made(f"openings/{opening}/approve", {"on": "2026-01-11"})
    await staff.made(f"openings/{first}/fill", fill)
    assert first in problem(await staff.post(f"openings/{second}/fill", fill), 409, "/member")
    old = {"member": await staff.recruited(starts_on="2025-06-01"), "on": "2026-02-01"}
    assert "2025-06-01" in problem(await staff.post(f"openings/{second}/fill", old), 409, "/member")
    abroad = {"member": await staff.recruited(department="hr"), "on": "2026-02-01"}
    problem(await staff.post(f"openings/{second}/fill", abroad), 422, "/member")
    early = await staff.post(f"openings/{second}/withdraw", {"on": "2026-01-09"})
    assert "2026-01-10" in problem(early, 422, "/on")


async def test_nobody_approves_what_they_have_requested_themselves(staff: Staff) -> None:
    leader = await staff.recruited()
    headers = token_headers(staff.world.settings, "openings:write", member=leader)
    async with client_of(staff.world.origin, headers) as client:
        opening = (await client.post("/v1/openings", json={"title": "One more"})).json()
        assert opening["requested_by"] == leader
        refused = await client.post(f"/v1/openings/{opening['id']}/approve", json={})
    assert "themselves" in problem(refused, 409)
    assert (await staff.made(f"openings/{opening['id']}/approve", {}))["status"] == "approved"


async def test_equipment_is_with_one_member_at_a_time(staff: Staff) -> None:
    ada, bob = await staff.recruited(), await staff.recruited()
    piece = f"equipment/{(await staff.made('equipment', {'kind': 'laptop', 'label': 'X1'}))['id']}"
    problem(await staff.post(f"{piece}/return", {}), 409)
    issued = await staff.made(f"{piece}/issue", {"member": ada, "on": "2026-02-01"})
    assert (issued["holder"], issued["since"]) == (ada, "2026-02-01")
    assert ada in problem(await staff.post(f"{piece}/issue", {"member": bob, "on": "2026-02-02"}), 409)
    assert "2026-02-01" in problem(await staff.post(f"{piece}/return", {"on": "2026-01-31"}), 422, "/on")
    await staff.made(f"{piece}/return", {"on": "2026-03-01"})
    assert "2026-03-01" in problem(await staff.post(f"{piece}/issue", {"member": bob, "on": "2026-02-27"}), 422, "/on")
    await staff.made(f"{piece}/issue", {"member": bob, "on": "2026-03-01"})
    holders = [(await staff.get(piece, on=day))["holder"] for day in ("2026-01-31", "2026-02-28", "2026-03-01")]
    assert holders == [None, ada, bob]
    problem(await staff.post(f"{piece}/retire", {"on": "2026-04-01"}), 409)
    await staff.made(f"{piece}/return", {"on": "2026-04-01"})
    await staff.made(f"{piece}/retire", {"on": "2026-04-01"})
    assert "retired" in problem(await staff.post(f"{piece}/issue", {"member": ada, "on": "2026-05-01"}), 409)


async def test_nothing_is_issued_to_who_does_not_work_here(staff: Staff) -> None:
    ada = await staff.recruited(starts_on="2026-05-01")
    piece = (await staff.made("equipment", {"kind": "phone"}))["id"]
    early = await staff.post(f"equipment/{piece}/issue", {"member": ada, "on": "2026-04-30"})
    assert "2026-05-01" in problem(early, 409, "/on")


async def test_an_onboarding_is_complete_when_all_of_it_is_there(staff: Staff) -> None:
    ada, buddy = await staff.recruited(starts_on="2026-03-01"), await staff.recruited()
    course = (await staff.made("courses", {"name": "Welcome"}))["id"]
    needs = {"equipment": ["laptop", "phone"], "courses": [course], "tasks": [{"title": "Meet the warehouse"}]}
    begun = await staff.made("onboardings", {"member": ada, "buddy": buddy, **needs})
    path = f"onboardings/{begun['id']}"
    assert [each["step"] for each in begun["steps"]] == ["equipment-1", "equipment-2", "training-1", "task-1"]
    (training,) = (await staff.get("trainings", member=ada))["items"]
    for kind in ("laptop", "phone"):
        piece = (await staff.made("equipment", {"kind": kind}))["id"]
        await staff.made(f"equipment/{piece}/issue", {"member": ada, "on": "2026-03-02"})
    await staff.made(f"trainings/{training['id']}/complete", {})
    assert (await staff.get(path))["status"] == "open"
    for step, said in (("training-1", "the training is completed"), ("task-9", "it has task-1")):
        answer = await staff.post(f"{path}/done", {"step": step})
        assert said in answer.json()["detail"]
    done = await staff.made(f"{path}/done", {"step": "task-1"})
    assert done["status"] == "completed"
    assert all(each["done_on"] for each in done["steps"])


async def test_what_a_joiner_has_already_is_not_waited_for(staff: Staff) -> None:
    ada = await staff.recruited()
    piece = (await staff.made("equipment", {"kind": "laptop"}))["id"]
    await staff.made(f"equipment/{piece}/issue", {"member": ada, "on": "2026-01-02"})
    begun = await staff.made("onboardings", {"member": ada, "equipment": ["laptop"]})
    assert (begun["status"], begun["completed_on"]) == ("completed", "2026-01-02")


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"buddy": "{member}"}, 422, "/buddy"),
        ({"equipment": ["Two words"]}, 422, "/equipment/0"),
        ({"courses": ["course_none"]}, 422, "/courses/0"),
        ({"tasks": [{"name": "Coffee"}]}, 422, "/tasks/0/title"),
    ],
)
async def test_a_wrong_onboarding_is_told_where(staff: Staff, body: Any, status: int, place: str) -> None:
    member = await staff.recruited()
    sent = {name: value.format(member=member) if isinstance(value, str) else value for name, value in body.items()}
    answer = await staff.post("onboardings", {"member": member} | sent)
    assert answer.status_code == status, answer.text
    assert answer.json()["errors"][0]["pointer"] in (place, "/tasks/0/name")


async def test_a_member_is_onboarded_once_at_a_time(staff: Staff) -> None:
    ada = await staff.recruited()
    first = await staff.made("onboardings", {"member": ada, "equipment": ["laptop"]})
    assert first["id"] in problem(await staff.post("onboardings", {"member": ada}), 409, "/member")
    await staff.made(f"onboardings/{first['id']}/cancel", {})
    await staff.made("onboardings", {"member": ada, "equipment": ["laptop"]})


async def test_the_words_of_tasks_are_forgotten_with_the_person(staff: Staff) -> None:
    ada = await staff.recruited()
    begun = await staff.made("onboardings", {"member": ada, "tasks": [{"title": "Ask about the wheelchair"}]})
    await staff.world.admin.delete(f"/v1/members/{ada}/personal-data")
    assert "wheelchair" not in str(await staff.get(f"onboardings/{begun['id']}"))
    assert "wheelchair" not in str(await staff.get(f"onboardings/{begun['id']}/history"))


async def test_hr_and_it_see_the_same_joiners_waiting_openings_and_equipment(each_staff: Staff) -> None:
    staff = each_staff
    first = await an_opening(staff, team=staff.north)
    second = await an_opening(staff)
    for opening in (first, second):
        await staff.made(f"openings/{opening}/approve", {"on": "2026-01-11"})
    ada = await staff.recruited(starts_on="2026-02-01")
    await staff.does(ada, "join", team=staff.north, since="2026-02-01")
    await staff.made(f"openings/{first}/fill", {"member": ada, "on": "2026-01-25"})
    await staff.made("onboardings", {"member": ada, "equipment": ["laptop"]})
    late = await staff.recruited(starts_on="2026-04-01")
    await staff.made("onboardings", {"member": late, "equipment": ["laptop"]})
    piece = (await staff.made("equipment", {"kind": "laptop"}))["id"]
    await staff.made(f"equipment/{piece}/issue", {"member": ada, "on": "2026-03-10"})
    last = await staff.post(f"equipment/{piece}/return", {"on": "2026-05-05"})
    await staff.world.settled("/v1/views", last, period="2026")

    async def seen(period: str, **query: str) -> tuple[Any, ...]:
        views = (await staff.get("views", period=period, **query))["views"]
        hr, it = views["hr"]["figures"], views["it"]["figures"]
        assert hr["joiners_waiting"] == it["joiners_waiting"]
        return hr["openings_open"], hr["time_to_fill"], hr["equipment_out"], hr["joiners_waiting"]

    # Requested on 10 January, one of two filled after 15 days.
    assert await seen("2026-01") == (1, "15.00", 0, 0)
    assert await seen("2026-02") == (1, None, 0, 1)
    assert await seen("2026-03") == (1, None, 1, 0)
    assert await seen("2026-04") == (1, None, 1, 1)
    assert await seen("2026-05") == (1, None, 0, 1)
    assert await seen("2026-02", team=staff.north) == (0, None, 0, 1)
    assert await seen("2026-04", team=staff.north) == (0, None, 1, 0)
    for figure, period, refs in (
        ("openings_open", "2026-02", {second}), ("openings_filled", "2026-01", {first}),
        ("equipment_out", "2026-03", {piece}), ("equipment_out", "2026-05", set()),
    ):  # fmt: skip
        name = {"openings_filled": "time_to_fill"}.get(figure, figure)
        rows = (await staff.get("views/hr/rows", figure=name, period=period))["items"]
        assert {row["ref"] for row in rows} == refs, figure
    waiting = (await staff.get("views/it/rows", figure="joiners_waiting", period="2026-04"))["items"]
    assert [row["member"] for row in waiting] == [late]
    await settled_verdict(staff.world, "consistent")


async def test_what_somebody_who_has_left_still_has_is_to_be_returned_in_the_views_of_hr_and_it(
    each_staff: Staff,
) -> None:
    staff = each_staff
    ada, bob = await staff.recruited(), await staff.recruited()
    await staff.does(ada, "join", team=staff.north, since="2026-01-02")
    laptop, phone = [(await staff.made("equipment", {"kind": kind}))["id"] for kind in ("laptop", "phone")]
    await staff.made(f"equipment/{laptop}/issue", {"member": ada, "on": "2026-03-10"})
    await staff.made(f"equipment/{phone}/issue", {"member": bob, "on": "2026-03-10"})
    left = await staff.post(f"members/{ada}/leave", {"on": "2026-04-20"})
    await staff.world.settled("/v1/views", left, period="2026")
    last = await staff.post(f"equipment/{laptop}/return", {"on": "2026-05-05"})
    await staff.world.settled("/v1/views", last, period="2026")

    async def to_return(period: str, **query: str) -> int:
        views = (await staff.get("views", period=period, **query))["views"]
        found: int = views["hr"]["figures"]["equipment_to_return"]
        assert views["it"]["figures"]["equipment_to_return"] == found
        return found

    assert [await to_return(f"2026-0{month}") for month in (3, 4, 5)] == [0, 1, 0]
    assert [await to_return("2026-04", team=team) for team in (staff.north, staff.south)] == [1, 0]
    rows = (await staff.get("views/it/rows", figure="equipment_to_return", period="2026-04"))["items"]
    assert [row["ref"] for row in rows] == [laptop]
