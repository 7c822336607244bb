"""Members over HTTP: recruited, changed, left, recruited again; on which day they were what."""

from __future__ import annotations

from typing import Any

import pytest

from shared.identity.scopes import DEPARTMENTS, tool_scopes
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers

MAY_KNOW_PEOPLE = ("sales", "hr", "it")


async def test_a_member_is_recruited_with_a_name_a_department_and_a_day(staff: Staff) -> None:
    body = {"name": "Ada Berg", "department": "sales", "starts_on": "2026-01-01"}
    answer = await staff.post("members", body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["department"], made["working_share"], made["job"]) == ("Ada Berg", "sales", "1", None)
    assert made["employments"] == [{"from": "2026-01-01", "to": None}]
    assert made == await staff.get(f"members/{made['id']}")
    assert (made["version"], answer.headers["etag"]) == (1, '"1"')


async def test_the_position_of_a_member_is_shown_as_of_a_day(staff: Staff) -> None:
    boss = await staff.recruited(name="Bo Boss")
    ada = await staff.recruited(job="Closer", working_share="1.00")
    changed = await staff.patch(
        f"members/{ada}",
        {"department": "hr", "manager": boss, "working_share": "0.50", "job": None, "on": "2026-03-01"},
    )
    assert changed.status_code == 200, changed.text
    for on, seen_as in {
        "2026-01-01": ("sales", "Closer", None, "1"),
        "2026-02-28": ("sales", "Closer", None, "1"),
        "2026-03-01": ("hr", None, boss, "0.5"),
        "2999-12-31": ("hr", None, boss, "0.5"),
    }.items():
        seen = await staff.get(f"members/{ada}", on=on)
        assert (seen["department"], seen["job"], seen["manager"], seen["working_share"]) == seen_as
    assert changed.json()["departments"] == [
        {"department": "sales", "from": "2026-01-01", "to": "2026-03-01"},
        {"department": "hr", "from": "2026-03-01", "to": None},
    ]
    assert ada in await staff.ids("members", department="sales", on="2026-02-28")
    assert ada not in await staff.ids("members", department="sales", on="2026-03-01")
    assert ada in await staff.ids("members", manager=boss, on="2026-03-01", department="hr")
    assert await staff.ids("members", manager=boss, on="2026-02-28") == set()


async def test_where_somebody_works_is_kept_only_where_the_organisation_may_hold_it(staff: Staff) -> None:
    ada = await staff.recruited()
    refused = await staff.patch(f"members/{ada}", {"workplace": "remote", "on": "2026-03-01"})
    assert "has not said that it may hold where its members work" in problem(refused, 422, "/workplace")
    problem(await staff.patch(f"members/{ada}", {"workplace": "beach"}), 422, "/workplace")
    await staff.patch("organisation", {"holds_workplaces": True})
    told = await staff.patch(f"members/{ada}", {"workplace": "remote", "on": "2026-03-01"})
    assert told.json()["workplaces"] == [
        {"workplace": None, "from": "2026-01-01", "to": "2026-03-01"},
        {"workplace": "remote", "from": "2026-03-01", "to": None},
    ]
    assert [(await staff.get(f"members/{ada}", on=on))["workplace"] for on in ("2026-02-28", "2026-03-01")] == [
        None, "remote",
    ]  # fmt: skip
    here = await staff.recruited(workplace="office")
    assert (await staff.get(f"members/{here}"))["workplace"] == "office"
    await staff.patch("organisation", {"holds_workplaces": False})
    problem(await staff.patch(f"members/{here}", {"workplace": "hybrid"}), 422, "/workplace")
    cleared = await staff.patch(f"members/{here}", {"workplace": None, "on": "2026-01-01"})
    assert cleared.json()["workplace"] is None


async def test_a_member_is_there_only_on_days_they_work_here(staff: Staff) -> None:
    ada = await staff.recruited()
    await staff.does(ada, "leave", on="2026-04-01")
    await staff.does(ada, "recruit", starts_on="2026-06-01", department="hr")
    there = {}
    for on in ("2025-12-31", "2026-01-01", "2026-03-31", "2026-04-01", "2026-05-31", "2026-06-01"):
        answer = await staff.world.admin.get(f"/v1/members/{ada}", params={"on": on})
        there[on[5:]] = (answer.json()["starts_on"], answer.json()["left_on"]) if answer.is_success else None
        assert (ada in await staff.ids("members", on=on, limit=200)) is (there[on[5:]] is not None)
        if not answer.is_success:
            assert f"On {on} there was no member {ada}" in problem(answer, 404)
    first, second = ("2026-01-01", "2026-04-01"), ("2026-06-01", None)
    assert there == {
        "12-31": None, "01-01": first, "03-31": first, "04-01": None, "05-31": None, "06-01": second,
    }  # fmt: skip


async def test_whoever_leaves_is_still_known_and_why_they_left_is_for_those_who_may_write(staff: Staff) -> None:
    ada = await staff.recruited()
    left = await staff.does(ada, "leave", on="2026-04-01", reason="moved away")
    assert (left["left_on"], left["leaving_reason"]) == ("2026-04-01", "moved away")
    async with client_of(staff.world.origin, token_headers(staff.world.settings, "members:read")) as reader:
        seen = (await reader.get(f"/v1/members/{ada}")).json()
    assert (seen["left_on"], seen["leaving_reason"], seen["name"], seen["externals"]) == ("2026-04-01", None, None, [])
    back = await staff.does(ada, "recruit", starts_on="2026-04-01")
    assert (back["left_on"], back["leaving_reason"], back["starts_on"]) == (None, None, "2026-04-01")


async def test_an_update_with_a_later_first_day_recruits_again_whoever_has_left(staff: Staff) -> None:
    body = {"name": "Cy", "department": "sales", "starts_on": "2026-01-01"}
    made = (await staff.put("members/ext:crm:cy", body)).json()
    later = body | {"starts_on": "2026-06-01", "department": "hr"}
    refused = await staff.put("members/ext:crm:cy", later)
    assert "started on 2026-01-01" in problem(refused, 409, "/starts_on")
    await staff.does(made["id"], "leave", on="2026-04-01")
    other_day = await staff.put("members/ext:crm:cy", later | {"on": "2026-07-01"})
    assert "holds from 2026-06-01, its first day, not from 2026-07-01" in problem(other_day, 422, "/on")
    for _ in range(2):
        back = await staff.put("members/ext:crm:cy", later)
        assert back.status_code == 200, back.text
        assert back.json()["employments"] == [
            {"from": "2026-01-01", "to": "2026-04-01"},
            {"from": "2026-06-01", "to": None},
        ]
    assert back.json()["version"] == 3
    assert back.json()["departments"][1] == {"department": "hr", "from": "2026-06-01", "to": None}
    first = await staff.put("members/ext:crm:cy", later | {"starts_on": "2026-01-01"})
    assert (first.status_code, first.json()["version"]) == (200, 3), "they did start on that day too"


async def test_an_upsert_sent_twice_changes_nothing_the_second_time(staff: Staff) -> None:
    body = {"name": "Di", "email": "di@example.org", "department": "sales", "starts_on": "2026-01-01",
            "working_share": "0.50", "job": "Closer"}  # fmt: skip
    first = await staff.put("members/ext:crm:di", body)
    before = await staff.events()
    second = await staff.put("members/ext:crm:di", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == first.json()
    assert await staff.events() == before
    third = await staff.put("members/ext:crm:di", body | {"job": "Opener", "on": "2026-02-01"})
    assert (third.json()["version"], third.json()["job"], third.json()["name"]) == (2, "Opener", "Di")
    assert third.json()["jobs"][0] == {"job": "Closer", "from": "2026-01-01", "to": "2026-02-01"}


async def test_a_change_says_on_which_version_it_was_decided(staff: Staff) -> None:
    ada = await staff.recruited()
    path = f"/v1/members/{ada}"
    assert "If-Match" in problem(await staff.world.admin.patch(path, json={"job": "x"}), 428)
    stale = await staff.patch(f"members/{ada}", {"job": "x"}, **{"If-Match": '"7"'})
    problem(stale, 412)
    assert (await staff.get(f"members/{ada}"))["job"] is None
    fresh = await staff.patch(f"members/{ada}", {"job": "x"}, **{"If-Match": '"1"'})
    assert fresh.headers["etag"] == '"2"'
    problem(await staff.post(f"members/{ada}/leave", {"on": "2026-05-01"}, **{"If-Match": '"1"'}), 412)


async def test_the_history_says_what_happened_and_never_to_whom(staff: Staff) -> None:
    ada = await staff.recruited(name="Ada Secret")
    await staff.patch(f"members/{ada}", {"name": "Ada Married"})
    await staff.does(ada, "join", group=staff.group, since="2026-02-01")
    await staff.does(ada, "leave", group=staff.group, on="2026-02-10")
    await staff.does(ada, "move", from_team=staff.north, to_team=staff.south, on="2026-03-01")
    await staff.does(ada, "leave", on="2026-04-01", reason="Ada quarrelled")
    items = (await staff.get(f"members/{ada}/history"))["items"]
    assert [each["type"].removeprefix("concert.teams.member-") for each in items] == [
        "recruited.v1", "described.v1", "joined.v1", "left-team.v1", "moved.v1", "left.v1",
    ]  # fmt: skip
    assert [each["version"] for each in items] == [1, 2, 3, 4, 5, 6]
    assert items[2]["data"] == {"team": staff.north, "on": "2026-02-01", "group": staff.group, "until": None}
    assert "Ada" not in str(items)


async def test_what_another_system_calls_a_member_leads_to_them(staff: Staff) -> None:
    ada = await staff.recruited(external={"source": "crm", "id": "ada"})
    linked = await staff.post(f"members/{ada}/externals", {"source": "payroll", "id": "17"})
    assert {(each["source"], each["id"]) for each in linked.json()["externals"]} == {("crm", "ada"), ("payroll", "17")}
    for name in ("ext:crm:ada", "ext:payroll:17"):
        assert (await staff.get(f"members/{name}"))["id"] == ada
    again = await staff.post(f"members/{ada}/externals", {"source": "payroll", "id": "17"})
    assert again.json()["version"] == linked.json()["version"]
    problem(await staff.post(f"members/{ada}/externals", {"source": "payroll", "id": "18"}), 409)
    other = await staff.recruited()
    assert "already names another" in problem(
        await staff.post(f"members/{other}/externals", {"source": "payroll", "id": "17"}), 409
    )
    assert (await staff.get(f"members/{other}"))["version"] == 1
    body = {"name": "X", "department": "sales", "starts_on": "2026-01-01"}
    problem(await staff.post("members", body | {"external": {"source": "crm", "id": "ada"}}), 409)


# -- managers ------------------------------------------------------------------------------------------------------


async def test_nobody_is_their_own_manager_directly_or_by_way_of_others_on_any_day(staff: Staff) -> None:
    ada, ben, cy = [await staff.recruited() for _ in range(3)]
    own = await staff.patch(f"members/{ada}", {"manager": ada, "on": "2026-02-01"})
    assert f"{ada} would be on 2026-02-01" in problem(own, 422, "/manager")
    await staff.patch(f"members/{ben}", {"manager": ada, "on": "2026-03-01"})
    await staff.patch(f"members/{ben}", {"manager": None, "on": "2026-05-01"})
    await staff.patch(f"members/{cy}", {"manager": ben, "on": "2026-01-01"})
    round_about = await staff.patch(f"members/{ada}", {"manager": cy, "on": "2026-01-01"})
    assert "would be on 2026-03-01" in problem(round_about, 422, "/manager")
    assert (await staff.get(f"members/{ada}"))["version"] == 1
    after = await staff.patch(f"members/{ada}", {"manager": cy, "on": "2026-05-01"})
    assert after.json()["manager"] == cy
    early = await staff.patch(f"members/{ben}", {"manager": ada, "on": "2026-04-30"})
    assert early.json()["version"] == 3, "they are managed by them on that day already"


async def test_managers_who_form_a_ring_on_no_single_day_are_no_ring(staff: Staff) -> None:
    ada, ben, cy, di = [await staff.recruited() for _ in range(4)]
    await staff.patch(f"members/{ben}", {"manager": di, "on": "2026-03-01"})
    await staff.patch(f"members/{ada}", {"manager": cy, "on": "2026-01-01"})
    await staff.patch(f"members/{cy}", {"manager": ben, "on": "2026-04-01"})
    until_march = await staff.patch(f"members/{ben}", {"manager": ada, "on": "2026-02-01"})
    assert until_march.status_code == 200, until_march.text
    assert until_march.json()["managers"][1] == {"manager": ada, "from": "2026-02-01", "to": "2026-03-01"}


async def test_whoever_comes_back_does_not_come_back_under_somebody_they_manage_by_now(staff: Staff) -> None:
    ben = await staff.recruited()
    ada = await staff.recruited()
    assert (await staff.patch(f"members/{ben}", {"manager": ada, "on": "2026-03-01"})).status_code == 200
    await staff.does(ada, "leave", on="2026-04-01")
    back = await staff.post(f"members/{ada}/recruit", {"starts_on": "2026-06-01", "manager": ben})
    assert "would be on 2026-06-01" in problem(back, 422, "/manager")
    assert (await staff.get(f"members/{ada}"))["left_on"] == "2026-04-01"
    assert (await staff.does(ada, "recruit", starts_on="2026-06-01", manager=None))["manager"] is None


# -- who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("department", DEPARTMENTS)
async def test_names_are_seen_by_those_who_may_read_people_only(staff: Staff, department: str) -> None:
    ada = await staff.recruited(name="Ada Berg", email="ada@example.org", external={"source": department, "id": "a"})
    headers = token_headers(staff.world.settings, *tool_scopes(department), department=department)
    async with client_of(staff.world.origin, headers) as reader:
        answer = await reader.get(f"/v1/members/{ada}")
    if department in MAY_KNOW_PEOPLE:
        assert (answer.json()["name"], answer.json()["email"]) == ("Ada Berg", "ada@example.org")
    else:
        assert "Ada" not in answer.text
        assert "ada@" not in answer.text


async def test_erasing_a_member_forgets_who_it_was_and_keeps_what_they_did(staff: Staff) -> None:
    ada = await staff.recruited(name="Ada Berg", external={"source": "crm", "id": "erased"})
    await staff.does(ada, "join", team=staff.north, since="2026-02-01")
    gone = await staff.world.admin.delete(f"/v1/members/{ada}/personal-data")
    assert gone.status_code == 204
    seen: dict[str, Any] = await staff.get(f"members/{ada}")
    assert (seen["erased"], seen["name"], seen["email"], seen["externals"]) == (True, None, None, [])
    assert ada in await staff.ids(f"teams/{staff.north}/members", on="2026-02-01", limit=200)
    problem(await staff.world.admin.get("/v1/members/ext:crm:erased"), 404)
    problem(await staff.patch(f"members/{ada}", {"name": "Ada Berg"}), 409)
    problem(await staff.post(f"members/{ada}/externals", {"source": "crm", "id": "erased"}), 409)
    problem(await staff.post(f"members/{ada}/leave", {"on": "2026-05-01", "reason": "words"}), 409, "/reason")
    assert (await staff.get(f"members/{ada}"))["version"] == seen["version"]
