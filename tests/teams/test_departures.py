"""Departures that are still to come are taken back or put off, and who does not work here manages and leads nobody."""

from __future__ import annotations

from datetime import date

import pytest

from services.teams.domain.members import LeftAlready, NotLeaving
from shared.instant import now
from tests.teams.acts import day, days_of, member
from tests.teams.conftest import Staff, problem


def test_who_stays_has_all_that_the_departure_cut_off() -> None:
    somebody = member()
    somebody.join("north", day("2026-02-01"))
    somebody.join("south", day("2026-02-01"), end=day("2026-05-01"))
    somebody.join("east", day("2026-06-01"), end=day("2026-07-01"))
    somebody.change(day("2026-05-15"), department="hr")
    before = (days_of(somebody.memberships), days_of(somebody.departments), days_of(somebody.employments))
    somebody.leave(day("2026-05-01"), "a reason", "pay")
    assert days_of(somebody.memberships) == [("north", "02-01", "05-01"), ("south", "02-01", "05-01")]
    told = somebody.stay(day("2026-04-30"))
    assert (days_of(somebody.memberships), days_of(somebody.departments), days_of(somebody.employments)) == before
    assert "reason" not in str(told)
    assert told.memberships == somebody.memberships
    with pytest.raises(NotLeaving):
        somebody.stay(day("2026-04-30"))


def test_what_was_said_after_the_departure_was_planned_stays() -> None:
    somebody = member()
    somebody.leave(day("2026-05-01"))
    somebody.join("north", day("2026-03-01"))
    somebody.stay(day("2026-03-02"))
    assert days_of(somebody.memberships) == [("north", "03-01", None)]


def test_a_departure_of_today_or_before_is_not_taken_back() -> None:
    somebody = member()
    somebody.leave(day("2026-05-01"))
    for today in ("2026-05-01", "2026-06-01"):
        with pytest.raises(LeftAlready, match="left on 2026-05-01"):
            somebody.stay(day(today))
    assert somebody.left_on == date(2026, 5, 1)


async def test_a_planned_departure_is_put_off_and_taken_back_in_every_service(each_staff: Staff) -> None:
    staff = each_staff
    ada = await staff.recruited()
    await staff.does(ada, "join", team=staff.north, since="2026-01-02")
    later = [f"{now().year + years}-01-01" for years in (1, 2)]
    assert (await staff.does(ada, "leave", on=later[0]))["left_on"] == later[0]
    assert later[0] in problem(await staff.post(f"members/{ada}/leave", {"on": later[0]}), 409)
    assert (await staff.does(ada, "leave", on=later[1]))["left_on"] == later[1]
    stays = await staff.post(f"members/{ada}/stay", {})
    assert (stays.json()["left_on"], stays.json()["memberships"][0]["to"]) == (None, None)
    year = str(now().year + 1)
    view = await staff.world.settled("/v1/views/hr", stays, period=year)
    assert view["figures"]["leavers"] == 0
    assert "not leaving" in problem(await staff.post(f"members/{ada}/stay", {}), 409)


async def test_who_does_not_work_here_that_day_manages_and_leads_nobody(staff: Staff) -> None:
    gone = await staff.recruited()
    await staff.does(gone, "leave", on="2026-03-01")
    coming = await staff.recruited(starts_on=f"{now().year + 1}-01-01")
    body = {"name": "New", "department": "sales", "starts_on": "2026-03-01", "manager": gone}
    assert "2026-03-01" in problem(await staff.post("members", body), 409, "/manager")
    problem(await staff.post("members", body | {"manager": coming}), 409, "/manager")
    managed = (await staff.made("members", body | {"starts_on": "2026-02-28"}))["id"]
    # What is said again is no change, and a manager of the past stays one.
    same = await staff.patch(f"members/{managed}", {"manager": gone, "on": "2026-04-01"})
    assert same.status_code == 200, same.text
    other = await staff.recruited()
    problem(await staff.patch(f"members/{other}", {"manager": gone, "on": "2026-04-01"}), 409, "/manager")
    for nobody in (gone, coming):
        problem(await staff.post("teams", {"name": "Led", "leader": nobody}), 409, "/leader")
        problem(await staff.patch(f"teams/{staff.south}", {"leader": nobody}), 409, "/leader")
