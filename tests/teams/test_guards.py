"""Rules that several requests could break together, on each kind of engines."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from shared.membership import on_day
from tests.targets.bodies import day
from tests.teams.conftest import Staff


async def at_once(staff: Staff, path: str, *bodies: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*(staff.post(path, body) for body in bodies)))


def statuses(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


async def made_manager(staff: Staff, member: str, manager: str) -> httpx.Response:
    body = {"manager": manager, "on": "2026-02-01"}
    return await staff.patch(f"members/{member}", body, **{"If-Match": '"1"'})


async def test_two_who_are_made_each_others_managers_at_once_do_not_both_become_it(each_staff: Staff) -> None:
    for _ in range(4):
        ada, ben = await each_staff.recruited(), await each_staff.recruited()
        answers = await asyncio.gather(made_manager(each_staff, ada, ben), made_manager(each_staff, ben, ada))
        assert statuses(list(answers)) == [200, 422]


async def test_a_ring_of_managers_made_at_once_is_never_closed(staff: Staff) -> None:
    ring = [await staff.recruited() for _ in range(5)]
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    answers = await asyncio.gather(*(made_manager(staff, member, manager) for member, manager in pairs))
    assert statuses(list(answers)) == [200] * 4 + [422]


async def test_one_team_joined_many_times_at_once_is_joined_once(each_staff: Staff) -> None:
    ada = await each_staff.recruited()
    joins = [{"team": each_staff.north, "from": f"2026-02-0{number}"} for number in range(1, 7)]
    answers = await at_once(each_staff, f"members/{ada}/join", *joins)
    assert statuses(answers) == [200] + [409] * 5
    assert len((await each_staff.get(f"members/{ada}/memberships"))["items"]) == 1


async def test_moves_and_departures_at_once_leave_a_member_in_one_place_at_most(each_staff: Staff) -> None:
    ada = await each_staff.recruited()
    await each_staff.does(ada, "join", team=each_staff.north, group=each_staff.group, since="2026-02-01")
    move = {"from_team": each_staff.north, "to_team": each_staff.south, "on": "2026-03-01"}
    moved, again, left, gone = await asyncio.gather(
        each_staff.post(f"members/{ada}/move", move),
        each_staff.post(f"members/{ada}/move", move),
        each_staff.post(f"members/{ada}/leave", {"team": each_staff.north, "on": "2026-03-01"}),
        each_staff.post(f"members/{ada}/leave", {"on": "2026-06-01"}),
    )
    assert statuses([moved, again, left]) == [200, 409, 409]
    assert gone.status_code == 200
    stays = (await each_staff.get(f"members/{ada}/memberships"))["items"]
    teams = [{**stay, "of": stay["team"]} for stay in stays if stay["group"] is None]
    assert len(on_day(teams, day("2026-03-01"))) == (0 if left.is_success else 1)
    assert on_day(teams, day("2026-06-01")) == []


async def test_leaving_and_coming_back_at_once_happen_one_after_the_other(each_staff: Staff) -> None:
    ada = await each_staff.recruited()
    leaving = await at_once(each_staff, f"members/{ada}/leave", *[{"on": "2026-04-01"}] * 3)
    assert statuses(leaving) == [200, 409, 409]
    coming = await at_once(each_staff, f"members/{ada}/recruit", *[{"starts_on": "2026-05-01"}] * 3)
    assert statuses(coming) == [200, 409, 409]
    employments = (await each_staff.get(f"members/{ada}"))["employments"]
    assert employments == [{"from": "2026-01-01", "to": "2026-04-01"}, {"from": "2026-05-01", "to": None}]


async def test_one_external_name_sent_at_once_makes_one_member(staff: Staff) -> None:
    body = {"name": "Ada Berg", "department": "sales", "starts_on": "2026-01-01"}
    answers = await asyncio.gather(*(staff.put("members/ext:crm:ada", body) for _ in range(5)))
    assert statuses(list(answers)) == [200] * 4 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
