"""Who comes to meetings, who is away and what people cannot do yet, in the view of hr: told of many, never of one."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tests.teams.conftest import Staff
from tests.world import client_of, token_headers

_jobs = count(1)


@pytest.fixture(name="crew")
async def _crew(each_staff: Staff) -> tuple[Staff, list[str], list[str]]:
    """Six in the North, led by the first of them, and five in the South; all of them have a job that nobody else has.

    Other crews are in the same house: each test looks at its own teams, and at days and skills that no other one does.
    """
    job, crews = f"Account manager {next(_jobs)}", list[list[str]]()
    for team, size in ((each_staff.north, 6), (each_staff.south, 5)):
        members = [await each_staff.recruited(job=job) for _ in range(size)]
        for member in members:
            await each_staff.does(member, "join", team=team, since="2026-01-01")
        crews.append(members)
    await each_staff.patch(f"teams/{each_staff.north}", {"leader": crews[0][0]})
    north, south = crews
    return each_staff, north, south


async def hr(staff: Staff, made: Any, period: str, **query: str) -> dict[str, Any]:
    """The view of hr once it holds a thing."""
    kind = {"abs": "absence", "mtg": "meeting", "skill": "skill"}.get(made["id"].partition("_")[0], "member")
    query = {"period": period, "after": f"{kind}/{made['id']}@{made['version']}", **query}
    shown: dict[str, Any] = await staff.get("views/hr", **query)
    return shown


def by_ref(view: dict[str, Any], figure: str) -> dict[str, Any]:
    """A figure of each row of a breakdown."""
    return {row["ref"]: row["figures"][figure] for row in view["breakdown"]["rows"]}


def by_team(staff: Staff, view: dict[str, Any], figure: str) -> dict[str, Any]:
    """A figure of the two teams."""
    found = by_ref(view, figure)
    return {team: found[team] for team in (staff.north, staff.south)}


def why(view: dict[str, Any]) -> str:
    """Why days of absence are not told."""
    return next(str(each["why"]) for each in view["notes"] if each["figure"] == "absence_days")


async def rows_as(staff: Staff, figure: str, period: str, *scopes: str, **who: Any) -> list[dict[str, Any]]:
    headers = token_headers(staff.world.settings, "views.hr:read", *scopes, **who)
    async with client_of(staff.world.origin, headers) as client:
        answer = await client.get("/v1/views/hr/rows", params={"figure": figure, "period": period, "limit": 200})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_days_of_absence_are_told_of_many_and_whose_they_are_only_to_who_may_see_them(
    crew: tuple[Staff, list[str], list[str]],
) -> None:
    staff, north, south = crew

    async def away(member: str, start: str, end: str | None, **more: Any) -> dict[str, Any]:
        body = {"member": member, "from": start, "to": end, "kind": "operation", **more}
        return await staff.made("absences", body)

    for member in north:
        last = await away(member, "2026-03-30", "2026-04-03")
    view = await hr(staff, last, "2026-03", breakdown="team")
    # Two days of each in March, those of April belong to April; nobody of the South was away.
    assert (view["figures"]["absence_days"], view["figures"]["members_absent"]) == ("12.00", 6)
    assert by_team(staff, view, "absence_days") == {staff.north: "12.00", staff.south: "0.00"}
    assert (await hr(staff, last, "2026-04"))["figures"]["absence_days"] == "12.00"
    assert (await hr(staff, last, "2026-Q2"))["figures"]["absence_days"] == "12.00"
    # Two stretches that differ by a day would tell of that day.
    odd = await hr(staff, last, "2026-03-01/2026-03-31")
    assert odd["figures"]["absence_days"] is None
    assert why(odd) == "what is told of absences is told of whole months, quarters and years"
    # One of the South: neither theirs nor, by taking the others from the whole, what is left.
    last = await away(south[0], "2026-03-10", "2026-03-12", share="0.5")
    view = await hr(staff, last, "2026-03", breakdown="team")
    assert view["figures"]["absence_days"] == "13.00"
    assert by_team(staff, view, "absence_days") == {staff.north: None, staff.south: None}
    assert "fewer than 5 people" in why(await hr(staff, last, "2026-03", team=staff.south))
    gone = await staff.made(f"absences/{last['id']}/cancel", {})
    assert (await hr(staff, gone, "2026-03"))["figures"]["absence_days"] == "12.00"
    # Whose days they are: hr, their leader, themselves; and nobody is told why.
    rows = await rows_as(staff, "absence_days", "2026-03", "absences:write", department="hr")
    assert sorted(row["member"] for row in rows) == sorted(north)
    assert "operation" not in str(rows)
    led = await rows_as(staff, "absence_days", "2026-03", "absences:read", member=north[0])
    assert sorted(row["member"] for row in led) == sorted(north)
    assert [row["member"] for row in await rows_as(staff, "absence_days", "2026-03", member=north[1])] == [north[1]]
    assert await rows_as(staff, "absence_days", "2026-03", "absences:read", member=south[0]) == []
    assert await rows_as(staff, "members_absent", "2026-03", department="finance") == []


async def test_an_absence_that_goes_on_counts_to_the_day_of_asking_and_only_while_somebody_works_here(
    crew: tuple[Staff, list[str], list[str]],
) -> None:
    staff, _, south = crew
    for member in south:
        last = await staff.made("absences", {"member": member, "from": "2026-10-31"})
    view = await hr(staff, last, "2026-10")
    assert view["figures"]["absence_days"] == "5.00"
    assert (await hr(staff, last, "2027"))["figures"]["absence_days"] == "0.00"
    await staff.does(south[0], "move", from_team=staff.south, to_team=staff.north, on="2026-11-02")
    left = await staff.does(south[1], "leave", on="2026-11-02")
    view = await hr(staff, left, "2026", breakdown="month")
    assert by_ref(view, "absence_days")["2026-10"] == "5.00"
    assert by_ref(view, "members_absent")["2026-11"] == 5


async def test_gaps_in_skills_are_those_that_teams_tells_of_and_few_are_not_told(
    crew: tuple[Staff, list[str], list[str]],
) -> None:
    staff, north, south = crew
    figures = (await staff.get("views/hr", period="2026"))["figures"]
    assert (figures["skill_gaps"], figures["skill_gaps_by_skill"]) == (None, None)
    selling, talking = [(await staff.made("skills", {"name": name}))["id"] for name in ("Selling", "Talking")]

    async def assessed(member: str, skill: str, level: int, on: str = "2026-01-05") -> None:
        answer = await staff.put(f"members/{member}/skills/{skill}", {"level": level, "on": on})
        assert answer.status_code == 200, answer.text

    for member in south:
        await assessed(member, selling, 3)
        await assessed(member, talking, 5)
    await assessed(north[0], selling, 2)
    await assessed(north[0], talking, 2)
    needed = {"job": (await staff.get(f"members/{north[0]}"))["job"], "on": "2026-01-01"}
    await staff.made(f"skills/{selling}/need", needed | {"level": 3})
    need = await staff.made(f"skills/{talking}/need", needed | {"level": 2})
    view = await hr(staff, need, "2026", breakdown="team")
    gaps = (await staff.get("skill-gaps"))["items"]
    assert view["figures"]["skill_gaps"] == len(gaps) == 11
    assert view["figures"]["members_with_skill_gaps"] == len({each["member"] for each in gaps}) == 6
    assert view["figures"]["skill_gaps_by_skill"] == {"Selling": 6, "Talking": 5}
    assert by_team(staff, view, "members_with_skill_gaps") == {staff.north: 6, staff.south: 0}
    assert sum(by_team(staff, view, "skill_gaps").values()) == view["figures"]["skill_gaps"]
    # Who learns is not short any more from that day on, and who has another job needs other skills.
    await assessed(north[0], selling, 3, on="2026-05-05")
    await staff.patch(f"members/{south[0]}", {"job": "Trainer"})
    changed = await staff.patch(f"members/{north[1]}", {"job": "Trainer"})
    view = await hr(staff, changed.json(), "2026", breakdown="team")
    assert len((await staff.get("skill-gaps"))["items"]) == 8
    # Four are few: of nobody it is told.
    assert (view["figures"]["skill_gaps"], by_ref(view, "skill_gaps")[staff.north]) == (None, None)
    assert view["figures"]["skill_gaps_by_skill"] is None
    assert (await hr(staff, changed.json(), "2026-Q1"))["figures"]["skill_gaps"] == 11
    # Whose they are is for who assesses skills and who leads them.
    tool = await rows_as(staff, "skill_gaps", "2026", "skills:write", department="hr")
    assert sorted(row["ref"] for row in tool) == sorted(north[2:])
    assert len(await rows_as(staff, "skill_gaps", "2026", member=north[0])) == 4
    assert await rows_as(staff, "skill_gaps", "2026", member=south[1]) == []
    assert await rows_as(staff, "skill_gaps", "2026", "skills:read", department="sales") == []
    # What the job needs more of from a day on was no gap before.
    more = await staff.made(f"skills/{selling}/need", needed | {"level": 5, "on": "2026-05-10"})
    assert (await hr(staff, more, "2026-Q1"))["figures"]["skill_gaps_by_skill"] == {"Selling": 6, "Talking": 5}
    assert (await hr(staff, more, "2026-Q2"))["figures"]["skill_gaps_by_skill"] == {"Selling": 11, "Talking": 5}
    # In a year in which nobody needed it yet, nothing is known.
    before = await hr(staff, more, "2025")
    assert (before["figures"]["skill_gaps"], before["figures"]["skill_gaps_by_skill"]) == (None, None)


async def test_attendance_is_counted_of_those_invited_by_the_team_of_the_day(
    crew: tuple[Staff, list[str], list[str]],
) -> None:
    staff, north, south = crew

    async def held(name: str, day: str, said: dict[str, str], **whose: Any) -> dict[str, Any]:
        at = f"{day}T09:00:00Z"
        meeting = (await staff.made("meetings", {"name": name, "starts_at": at, **whose}))["id"]
        await staff.made(f"meetings/{meeting}/start", {"at": at})
        entries = [{"member": member, "status": status} for member, status in said.items()]
        if entries:
            await staff.made(f"meetings/{meeting}/attendance", {"entries": entries})
        return await staff.made(f"meetings/{meeting}/end", {"at": f"{day}T10:00:00Z"})

    await staff.get("series", after=f"member/{south[-1]}@2")
    said = dict.fromkeys(north[:3], "present") | {north[3]: "excused"}
    await held("Weekly", "2026-02-02", said, teams=[staff.north])
    await held("Fair", "2026-03-02", {south[0]: "present", north[0]: "present"},
               teams=[staff.south], guests=[north[0]])  # fmt: skip
    # Where nobody noted who came, nothing is known of it.
    last = await held("Unnoted", "2026-03-03", {}, teams=[staff.north])
    view = await hr(staff, last, "2026-Q1", breakdown="team")
    names = ("attendance_invited", "attendance_present", "attendance_excused")
    assert [view["figures"][name] for name in names] == [12, 5, 1]
    assert view["figures"]["attendance"] == {"rate": "0.454545", "numerator": 5, "denominator": 11}
    assert by_team(staff, view, "attendance_invited") == {staff.north: 7, staff.south: 5}
    assert by_team(staff, view, "attendance_present") == {staff.north: 4, staff.south: 1}
    months = await hr(staff, last, "2026-Q1", breakdown="month")
    assert by_ref(months, "attendance_invited") == {"2026-01": 0, "2026-02": 6, "2026-03": 6}
    assert by_ref(months, "attendance")["2026-01"] is None
    departments = await hr(staff, last, "2026-Q1", breakdown="department")
    assert by_ref(departments, "attendance_invited")["sales"] == 12
    rows = await rows_as(staff, "attendance", "2026-Q1", department="hr")
    assert [row["attendance"].get(north[0]) for row in sorted(rows, key=lambda row: row["on"])] == ["present"] * 2
    # The past stays as it was when somebody moves.
    moved = await staff.does(north[0], "move", from_team=staff.north, to_team=staff.south, on="2026-04-01")
    again = await hr(staff, moved, "2026-Q1", breakdown="team")
    assert by_team(staff, again, "attendance_present") == {staff.north: 4, staff.south: 1}


async def test_working_shares_and_ramps_are_those_of_the_day(crew: tuple[Staff, list[str], list[str]]) -> None:
    staff, north, _ = crew
    await staff.patch(f"members/{north[0]}", {"working_share": "0.5", "on": "2026-04-01"})
    ramped = await staff.recruited(starts_on="2026-05-16", ramp=["0.25", "0.5", "0.75"])
    joined = await staff.does(ramped, "join", team=staff.south, since="2026-05-16")
    march = await hr(staff, joined, "2026-03", breakdown="team")
    assert by_team(staff, march, "full_time_equivalents") == {staff.north: "6.00", staff.south: "5.00"}
    assert march["figures"]["ramping"] == 0
    april = await hr(staff, joined, "2026-04", breakdown="team")
    assert by_team(staff, april, "full_time_equivalents") == {staff.north: "5.50", staff.south: "5.00"}
    # In the third month three quarters are expected, in the fourth all.
    for month, expected in (("2026-05", 1), ("2026-07", 1), ("2026-08", 0)):
        shown = await hr(staff, joined, month, breakdown="team")
        assert by_team(staff, shown, "ramping") == {staff.north: 0, staff.south: expected}
    assert [row["ref"] for row in await rows_as(staff, "ramping", "2026-07")] == [ramped]
