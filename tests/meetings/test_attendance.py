"""Who is invited, what they answer and who was there; and an agenda with what is carried over and overdue."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json

from tests.meetings.office import Office, problem

MONDAYS = ("2026-03-16T08:00:00Z", "2026-03-23T08:00:00Z")


async def joined(office: Office, *members: str) -> None:
    """Members who are in the team since the beginning of the year, known to meetings."""
    for member in members:
        answer = await office.world.post(f"/v1/members/{member}/join", {"team": office.team, "from": "2026-01-02"})
        await office.world.settled("/v1/series", answer)


async def a_meeting(office: Office, **fields: Any) -> str:
    body = {"name": "Review", "teams": [office.team], "starts_at": MONDAYS[0]} | fields
    return str((await office.world.made("/v1/meetings", body))["id"])


async def attendance(office: Office, meeting: str) -> dict[str, tuple[str, bool]]:
    found = (await office.get(f"/v1/meetings/{meeting}/attendance"))["items"]
    return {each["member"]: (each["status"], each["guest"]) for each in found}


async def test_who_is_invited_follows_from_the_teams_of_that_day_and_guests_are_named(office: Office) -> None:
    await joined(office, office.ada)
    meeting = await a_meeting(office)
    path = f"/v1/meetings/{meeting}/attendance"
    assert await attendance(office, meeting) == {office.ada: ("invited", False)}
    await office.world.made(path, {"member": office.ivo, "status": "invited"})
    await office.world.made(path, {"member": office.ada, "status": "accepted"})
    assert await attendance(office, meeting) == {office.ada: ("accepted", False), office.ivo: ("invited", True)}
    later = await office.world.post(f"/v1/members/{office.ben}/join", {"team": office.team, "from": "2026-03-17"})
    await office.world.settled("/v1/series", later)
    assert office.ben not in await attendance(office, meeting)


async def test_attendance_of_somebody_not_invited_is_refused_and_nothing_is_noted(office: Office) -> None:
    await joined(office, office.ada)
    meeting = await a_meeting(office)
    path = f"/v1/meetings/{meeting}/attendance"
    await office.world.made(f"/v1/meetings/{meeting}/start", {"at": MONDAYS[0]})
    both = {"entries": [{"member": office.ada, "status": "present"}, {"member": office.ivo, "status": "present"}]}
    problem(await office.world.post(path, both), 422, "/member", f"{office.ivo} is not invited")
    assert await attendance(office, meeting) == {office.ada: ("invited", False)}
    await office.world.made(path, {"member": office.ivo, "status": "invited"})
    await office.world.made(path, both)
    assert {status for status, _ in (await attendance(office, meeting)).values()} == {"present"}


async def test_nobody_is_there_before_it_begins_and_nobody_answers_after_it_ended(office: Office) -> None:
    await joined(office, office.ada)
    meeting = await a_meeting(office)
    path = f"/v1/meetings/{meeting}/attendance"
    early = await office.world.post(path, {"member": office.ada, "status": "present"})
    problem(early, 409, "/status", "has not begun")
    await office.world.made(f"/v1/meetings/{meeting}/start", {"at": MONDAYS[0]})
    await office.world.made(f"/v1/meetings/{meeting}/end", {"at": "2026-03-16T09:00:00Z"})
    late = await office.world.post(path, {"member": office.ada, "status": "accepted"})
    problem(late, 409, "/status", "is ended")
    # Who was there may be noted afterwards.
    await office.world.made(path, {"member": office.ada, "status": "present"})
    problem(await office.world.post(path, {"member": office.ada}), 422, "", "with a status")
    problem(await office.world.post(path, {"member": "mbr_none", "status": "present"}), 422, "/member", "mbr_none")
    problem(await office.world.post(path, {"member": office.ada, "status": "asleep"}), 422, "/status", "present")


async def test_the_agenda_stands_in_its_order_with_what_is_carried_over_and_what_is_overdue(office: Office) -> None:
    await joined(office, office.ada)
    series = (await office.weekly()).json()["id"]
    first, second = [
        (await office.world.made("/v1/meetings", {"series": series, "starts_at": at}))["id"] for at in MONDAYS
    ]
    about = {"kind": "problem", "meeting": first, "on": "2026-03-16"}
    carried = await office.world.made("/v1/items", about | {"title": "Stock", "minutes": 10})
    for title, position in (("Second", 2), ("First", 1)):
        item = {"kind": "news", "title": title, "meeting": second, "position": position, "on": "2026-03-23",
                "presenter": office.ada, "minutes": 5}  # fmt: skip
        await office.world.made("/v1/items", item)
    action = {"title": "Order", "owner": office.ben, "due": "2026-03-20", "item": carried["id"], "on": "2026-03-16"}
    ordered = await office.world.made("/v1/actions", action)
    owed = await office.world.made("/v1/actions", action | {"owner": office.ada, "item": None, "due": "2026-03-22"})
    # Of somebody else, and not of the series.
    await office.world.made("/v1/actions", action | {"owner": office.ivo, "item": None})
    duty = {"title": "Call them", "assigned_to": {"member": office.ada}, "due": "2026-03-21", "on": "2026-03-16"}
    told = await office.world.post("/v1/duties", duty)
    await office.world.settled("/v1/series", told)
    agenda = await office.get(f"/v1/meetings/{second}/agenda")
    titles = [(item["title"], item["carried"]) for item in agenda["items"]]
    assert titles == [("First", False), ("Second", False), ("Stock", True)]
    assert agenda["minutes_planned"] == 20
    actions = [(each["id"], each["overdue"]) for each in agenda["actions"]]
    assert actions == [(ordered["id"], True), (owed["id"], True)]
    assert [(each["duty"], each["member"]) for each in agenda["duties"]] == [(told.json()["id"], office.ada)]
    assert (await office.get(f"/v1/meetings/{first}/agenda"))["duties"] == []
    # What is done is off the next agenda, and stays on those before.
    await office.world.made(f"/v1/actions/{ordered['id']}/done", {"on": "2026-03-21"})
    done = await office.world.post(f"/v1/duties/{told.json()['id']}/done", {"on": "2026-03-22"})
    await office.world.settled("/v1/series", done)
    agenda = await office.get(f"/v1/meetings/{second}/agenda")
    assert [each["id"] for each in agenda["actions"]] == [owed["id"]]
    assert agenda["duties"] == []
    assert ordered["id"] in [each["id"] for each in (await office.get(f"/v1/meetings/{first}/agenda"))["actions"]]


async def test_what_a_department_owes_comes_on_its_own_table_and_not_on_that_of_others(office: Office) -> None:
    duty = {"title": "Order it", "assigned_to": {"member": office.ivo}, "due": "2026-03-10", "on": "2026-03-02"}
    told = await office.world.post("/v1/duties", duty)
    await office.world.settled("/v1/series", told)
    own = await a_meeting(office, teams=[], departments=["it"])
    joint = await a_meeting(office, teams=[], departments=["it", "sales"], kind="joint")
    duties = [(await office.get(f"/v1/meetings/{each}/agenda"))["duties"] for each in (own, joint)]
    assert [[each["duty"] for each in found] for found in duties] == [[told.json()["id"]], []]


async def test_a_tool_that_tells_of_a_meeting_once_more_changes_nothing_and_the_last_word_of_who_came_counts(
    office: Office,
) -> None:
    await joined(office, office.ada)
    meeting = await a_meeting(office)

    def came(status: str) -> dict[str, Any]:
        return {"do": "attendance", "meeting": meeting, "member": office.ada, "status": status}

    async def told(*rows: dict[str, Any]) -> list[tuple[int, int]]:
        answer = await office.world.post("/v1/meetings/bulk", list(rows))
        lines = [from_json(line) for line in answer.text.splitlines()]
        return [(line["status"], line["version"]) for line in lines]

    began, over = ({"do": do, "meeting": meeting, "at": at} for do, at in
                   (("start", MONDAYS[0]), ("end", "2026-03-16T09:00:00Z")))  # fmt: skip
    assert await told(began, came("present"), over) == [(200, 2), (200, 3), (200, 4)]
    assert await told(began, came("present"), over) == [(200, 4)] * 3
    assert await told(came("excused"), came("present"), came("present")) == [(200, 5), (200, 6), (200, 6)]
