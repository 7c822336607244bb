"""Several meetings are moved or cancelled at once: each is answered by itself, and calendars and answers follow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.identity.scopes import member_scopes
from tests.meetings.office import Office, problem
from tests.meetings.test_attendance import attendance, joined
from tests.meetings.test_calendars import events, feed, link_of
from tests.meetings.test_series_changes import MONDAYS, call, hold, series_of, times
from tests.world import client_of, token_headers

EASTER = {"from": "2026-04-06", "to": "2026-04-07"}
WEEK = {"from": "2026-03-23", "to": "2026-03-30"}


async def at_once(office: Office, verb: str, **body: Any) -> Any:
    """What became of several meetings."""
    answer = await office.world.post(f"/v1/meetings/{verb}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def became(told: Any) -> list[tuple[str, str | None, str | None]]:
    """When each was to take place, what became of it, and when it takes place now."""
    return [(each["was"][:16], each["became"], (each["starts_at"] or "")[:16] or None) for each in told["items"]]


async def test_a_week_of_a_series_is_moved_by_a_day_and_two_hours_by_the_clock_of_its_zone(standing: Office) -> None:
    series = await series_of(standing, rrule="FREQ=WEEKLY;BYDAY=MO,SA")
    called = await call(standing, series, MONDAYS[1])
    told = await at_once(standing, "reschedule", **WEEK, series=series, days=1, minutes=120)
    # Summer time begins on the 29th: nine on Saturday in winter, and eleven on Sunday in summer.
    assert became(told) == [
        ("2026-03-23T08:00", "moved", "2026-03-24T10:00"), ("2026-03-28T08:00", "moved", "2026-03-29T09:00"),
    ]  # fmt: skip
    assert (told["done"], told["refused"], told["items"][0]["meeting"]) == (2, 0, called)
    assert (await standing.get(f"/v1/meetings/{called}"))["on"] == "2026-03-24"
    assert (await times(standing, series))[2:4] == [("2026-03-24T10:00", "called"), ("2026-03-29T09:00", "called")]
    moved = {str(each["recurrence-id"].dt)[:16]: str(each["dtstart"].dt)[:16]
             for each in events(await feed(standing, await link_of(standing, series=series)))
             if "recurrence-id" in each}  # fmt: skip
    assert moved == {"2026-03-23 09:00": "2026-03-24 11:00", "2026-03-28 09:00": "2026-03-29 11:00"}


async def test_a_holiday_cancels_what_is_called_and_skips_what_is_not_and_spares_other_teams(standing: Office) -> None:
    planned, called = await series_of(standing), await series_of(standing)
    meeting = await call(standing, called, MONDAYS[3])
    other = await standing.world.made("/v1/teams", {"name": "South", "department": "it"})
    await standing.get("/v1/series", after=f"team/{other['id']}@1")
    spared = await standing.world.made(
        "/v1/meetings", {"name": "Ours", "teams": [other["id"]], "starts_at": MONDAYS[3]}
    )
    told = await at_once(standing, "cancel", **EASTER, department="sales", reason="Easter")
    mine = {each["series"]: (each["became"], each["meeting"]) for each in told["items"]}
    assert (mine[planned], mine[called]) == (("skipped", None), ("cancelled", meeting))
    assert (await standing.get(f"/v1/series/{planned}"))["skips"] == [{"on": "2026-04-06", "reason": "Easter"}]
    assert (await standing.get(f"/v1/meetings/{meeting}"))["status"] == "cancelled"
    assert (await standing.get(f"/v1/meetings/{spared['id']}"))["status"] == "called"
    again = await at_once(standing, "cancel", **EASTER, department="sales")
    assert again["items"] == []


async def test_a_dry_run_says_the_same_and_changes_nothing(standing: Office) -> None:
    series = await series_of(standing)
    await call(standing, series, MONDAYS[1])
    moving = {**WEEK, "series": series, "days": 2}
    for verb, body in (("reschedule", moving), ("cancel", {**WEEK, "series": series})):
        before = (await times(standing, series), await standing.get(f"/v1/series/{series}/history"))
        tried = await at_once(standing, verb, **body, dry_run=True)
        assert (tried["dry_run"], tried["done"]) == (True, 1)
        assert (await times(standing, series), await standing.get(f"/v1/series/{series}/history")) == before
    tried = await at_once(standing, "reschedule", **moving, dry_run=True)
    assert became(tried) == became(await at_once(standing, "reschedule", **moving))


async def test_what_cannot_be_moved_says_why_and_the_others_are_moved(standing: Office) -> None:
    daily = await series_of(standing, rrule="FREQ=DAILY")
    held, running, free = [await call(standing, daily, f"2026-03-{day}T08:00:00Z") for day in (24, 25, 26)]
    await hold(standing, held, "2026-03-24T08:00:00Z")
    await standing.world.made(f"/v1/meetings/{running}/start", {"at": "2026-03-25T08:00:00Z"})
    told = await at_once(standing, "reschedule", meetings=[held, running, free], minutes=30)
    assert [each["status"] for each in told["items"]] == [409, 409, 200]
    assert "This meeting is ended; only one that is called" in told["items"][0]["problem"]["detail"]
    assert (told["done"], told["refused"]) == (1, 2)
    last = await at_once(standing, "reschedule", **{"from": "2026-03-27", "to": "2026-03-29"}, series=daily, days=1)
    assert [each["status"] for each in last["items"]] == [200, 409]
    assert last["items"][1]["problem"]["detail"].startswith(
        "The series meets at 2026-03-29T07:00:00+00:00 anyway; moved there, two of its meetings would be one."
    )


async def test_who_had_answered_to_the_time_before_is_asked_again(office: Office) -> None:
    await joined(office, office.ada, office.ben)
    series = await series_of(office)
    meeting = await call(office, series, MONDAYS[1], guests=[office.ivo])
    path = f"/v1/meetings/{meeting}"
    for member, status in ((office.ada, "accepted"), (office.ivo, "declined")):
        await office.world.made(f"{path}/attendance", {"member": member, "status": status})
    renamed = await office.world.admin.patch(path, json={"name": "Stock"}, headers={"If-Match": "*"})
    assert renamed.status_code == 200
    assert (await attendance(office, meeting))[office.ada] == ("accepted", False)
    told = await at_once(office, "reschedule", **WEEK, team=office.team, days=1)
    assert told["items"][0]["asked_again"] == sorted([office.ada, office.ivo])
    assert await attendance(office, meeting) == {
        office.ada: ("invited", False), office.ben: ("invited", False), office.ivo: ("invited", True),
    }  # fmt: skip
    history = (await office.get(f"{path}/history"))["items"]
    assert history[-1]["data"]["asked_again"] == sorted([office.ada, office.ivo])


async def test_rows_of_a_bulk_move_single_meetings_and_times_of_series_each_with_its_answer(standing: Office) -> None:
    series = await series_of(standing)
    meeting = await call(standing, series, MONDAYS[0])
    rows: list[dict[str, Any]] = [
        {"do": "reschedule", "meeting": meeting, "starts_at": "2026-03-17T08:00:00Z", "minutes": 15},
        {"do": "reschedule", "meeting": meeting},
        {"do": "cancel", "meeting": "mtg_none"},
    ]
    answer = await standing.world.post("/v1/meetings/bulk", rows)
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [200, 422, 404]
    assert "send starts_at, minutes or both" in answer.text
    rows = [
        {
            "do": "reschedule",
            "series": series,
            "scope": "this",
            "on": "2026-03-23",
            "starts_at": "2026-03-24T08:00:00Z",
        },
        {"do": "reschedule", "series": series, "scope": "this", "on": "2026-03-24", "minutes": 15},
        {"do": "skip", "series": series, "on": "2026-03-30"},
        {"do": "reschedule", "series": series, "scope": "following", "on": "2026-04-06", "minutes": 30},
    ]
    for _ in range(2):
        answer = await standing.world.post("/v1/series/bulk", rows)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line["status"] for line in lines] == [200, 422, 200, 200], answer.text
    assert lines[0]["id"].startswith("mtg_")
    shown = await standing.get(f"/v1/series/{series}")
    assert shown["continued_by"] is not None
    assert (await standing.get(f"/v1/series/{shown['continued_by']}"))["minutes"] == 30
    headers = token_headers(standing.world.settings, "series:write")
    async with client_of(standing.world.origin, headers) as client:
        refused = (await client.post("/v1/series/bulk", json=[rows[0] | {"minutes": 20}])).json()
    assert (refused["status"], refused["problem"]["scope"]) == (403, "meetings:write")


@pytest.mark.parametrize(
    ("verb", "body", "says"),
    [
        ("reschedule", {**WEEK}, "say by how many days or minutes they are moved"),
        ("reschedule", {"days": 1}, "say from and to which day, or name the meetings"),
        ("cancel", {**WEEK, "meetings": ["mtg_none"]}, "say from and to which day, or name the meetings"),
        ("cancel", {"meetings": ["mtg_none"], "team": "t"}, "meetings that are named need no series, team or"),
        ("cancel", {"from": "2026-03-23", "to": "2026-03-23"}, "and not after from (2026-03-23)"),
        ("cancel", {"from": "2026-03-23", "to": "2028-03-23"}, "these are 731 days; at most 366 at once"),
        ("cancel", {"meetings": ["mtg_none"]}, "there is no meeting mtg_none"),
        ("cancel", {**WEEK, "series": "srs_none"}, "there is no series srs_none"),
        ("reschedule", {**WEEK, "days": "1"}, "valid integer"),
    ],
)
async def test_nonsense_is_refused_with_what_would_be_right(
    standing: Office, verb: str, body: dict[str, Any], says: str
) -> None:
    problem(await standing.world.post(f"/v1/meetings/{verb}", body), 422, "", says)


async def test_more_than_can_be_dealt_with_at_once_are_refused(standing: Office) -> None:
    line = [await series_of(standing, rrule="FREQ=DAILY") for _ in range(2)]
    many = {"from": "2026-04-01", "to": "2027-03-01", "days": 1, "team": standing.team}
    answer = await standing.world.post("/v1/meetings/reschedule", many)
    problem(answer, 422, "", "more than 500 meetings")
    assert (await standing.get(f"/v1/series/{line[0]}"))["version"] == 1


async def test_who_may_not_write_series_skips_none_of_their_times(standing: Office) -> None:
    series = await series_of(standing)
    headers = token_headers(standing.world.settings, "meetings:write")
    async with client_of(standing.world.origin, headers) as client:
        refused = await client.post("/v1/meetings/cancel", json={**WEEK, "series": series})
    problem(refused, 403, "", "series:write")
    headers = token_headers(standing.world.settings, *member_scopes("sales"), member=standing.ada)
    async with client_of(standing.world.origin, headers) as client:
        assert (await client.post("/v1/meetings/cancel", json={**WEEK, "series": series})).json()["done"] == 1
