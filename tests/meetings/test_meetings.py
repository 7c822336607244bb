"""Series and meetings over HTTP: planned, called, held with minutes, moved, cancelled, ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.meetings.office import Office, problem, stored


async def planned(office: Office, series: str, **query: Any) -> list[str]:
    """When a series meets, in UTC."""
    found = await office.get(f"/v1/series/{series}/meetings", **query)
    return [each["starts_at"].removesuffix(":00Z") for each in found["items"]]


async def test_a_weekly_meeting_at_nine_in_berlin_stays_at_nine_across_both_clock_changes(standing: Office) -> None:
    series = (await standing.weekly()).json()["id"]
    spring = await planned(standing, series, **{"from": "2026-03-23", "to": "2026-04-07"})
    assert spring == ["2026-03-23T08:00", "2026-03-30T07:00", "2026-04-06T07:00"]
    autumn = await planned(standing, series, **{"from": "2026-10-19", "to": "2026-11-03"})
    assert autumn == ["2026-10-19T07:00", "2026-10-26T08:00", "2026-11-02T08:00"]


async def test_a_series_starts_with_its_first_time_by_the_rule(standing: Office) -> None:
    made = await standing.weekly(rrule="FREQ=MONTHLY;BYDAY=1TU;COUNT=2")
    assert made.json()["starts_at"] == "2026-04-07T07:00:00Z"
    assert await planned(standing, made.json()["id"], **{"from": "2026-01-01"}) == [
        "2026-04-07T07:00",
        "2026-05-05T07:00",
    ]
    never = await standing.weekly(rrule="FREQ=WEEKLY;UNTIL=20260301")
    problem(never, 422, "/rrule", "By the rule FREQ=WEEKLY;UNTIL=20260301 nobody meets in the six years from")


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("every Monday", "'EVERY MONDAY' is not a part of a rule"),
        ("FREQ=SOMETIMES", "FREQ is SOMETIMES"),
        ("FREQ=WEEKLY;FREQ=DAILY", "FREQ stands twice in the rule."),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL is 0; it is a number from 1 to 366."),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20261231", "a rule ends by COUNT or by UNTIL, not by both."),
        ("FREQ=WEEKLY;UNTIL=20260231", "2026-02-31 is not in the calendar."),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY has '32'; it counts from 1 to 31, or back from -1 to -31."),
        ("FREQ=WEEKLY;BYHOUR=9", "BYHOUR is not supported in a rule; a series meets once a day at most"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "nobody meets in the six years from"),
    ],
)
async def test_a_rule_that_is_nonsense_is_refused_in_plain_words_and_nothing_is_planned(
    standing: Office, rule: str, says: str
) -> None:
    before = await stored(standing, "series")
    problem(await standing.weekly(rrule=rule), 422, "/rrule", says)
    assert await stored(standing, "series") == before
    series = (await standing.weekly()).json()
    moved = await standing.world.post(f"/v1/series/{series['id']}/reschedule", {"scope": "all", "rrule": rule})
    problem(moved, 422, "/rrule", says)
    patched = await standing.world.admin.patch(
        f"/v1/series/{series['id']}", json={"rrule": rule}, headers={"If-Match": "*"}
    )
    problem(patched, 422, "/rrule", says)
    assert (await standing.get(f"/v1/series/{series['id']}"))["rrule"] == series["rrule"]


async def test_an_occurrence_becomes_a_meeting_once_and_only_when_the_series_meets(standing: Office) -> None:
    series = (await standing.weekly()).json()["id"]
    body = {"series": series, "starts_at": "2026-03-30T07:00:00Z"}
    called = await standing.world.post("/v1/meetings", body)
    assert called.status_code == 201, called.text
    meeting = called.json()
    assert (meeting["name"], meeting["minutes"], meeting["kind"]) == ("Sales weekly", 45, "team")
    assert meeting["teams"] == [standing.team]
    again = await standing.world.post("/v1/meetings", body)
    problem(again, 409, "/starts_at", f"has been called already; it is {meeting['id']}.")
    wrong = await standing.world.post("/v1/meetings", body | {"starts_at": "2026-03-30T08:00:00Z"})
    problem(
        wrong, 422, "/starts_at", "does not meet at 2026-03-30T08:00:00+00:00; after that it meets at 2026-04-06T07"
    )
    await standing.world.post(f"/v1/meetings/{meeting['id']}/cancel", {})
    anew = await standing.world.post("/v1/meetings", body | {"name": "Sales weekly, after all"})
    assert anew.status_code == 201
    shown = await standing.get(f"/v1/series/{series}/meetings", **{"from": "2026-03-30", "to": "2026-04-07"})
    assert [(each["status"], each["meeting"]) for each in shown["items"]] == [
        ("called", anew.json()["id"]), ("planned", None),
    ]  # fmt: skip


async def test_two_in_one_bulk_cannot_call_the_same_meeting(standing: Office) -> None:
    series = (await standing.weekly()).json()["id"]
    row = {"series": series, "starts_at": "2026-03-30T07:00:00Z"}
    answer = await standing.world.admin.post("/v1/meetings/bulk", content="\n".join(map(json.dumps, [row, row])))
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201, 409]


async def test_a_meeting_is_held_and_its_minutes_are_kept(standing: Office) -> None:
    single = {"name": "Quarter in review", "starts_at": "2026-07-06T22:30:00Z", "departments": ["sales", "it"],
              "kind": "joint"}  # fmt: skip
    called = await standing.world.post("/v1/meetings", single)
    path = f"/v1/meetings/{called.json()['id']}"
    started = await standing.world.post(f"{path}/start", {"at": "2026-07-06T22:35:00Z"})
    assert started.json()["status"] == "running"
    ended = await standing.world.post(f"{path}/end", {"at": "2026-07-06T23:20:00Z", "minutes": "Ada will call."})
    assert (ended.json()["status"], ended.json()["minutes_text"]) == ("ended", "Ada will call.")
    late = await standing.world.post(f"{path}/cancel", {})
    problem(late, 409, "", "This meeting is ended; only one that is called can do that.")
    history = await standing.get(f"{path}/history")
    assert history["items"][2]["data"] == {"on": "2026-07-06", "lasted": 45}


async def test_a_moved_meeting_keeps_its_place_in_the_series(standing: Office) -> None:
    series = (await standing.weekly()).json()["id"]
    called = await standing.world.post("/v1/meetings", {"series": series, "starts_at": "2026-03-30T07:00:00Z"})
    path = f"/v1/meetings/{called.json()['id']}"
    moved = await standing.world.admin.patch(
        path, json={"starts_at": "2026-03-31T12:00:00Z"}, headers={"If-Match": '"1"'}
    )
    assert (moved.json()["occurrence"], moved.json()["on"]) == ("2026-03-30T07:00:00Z", "2026-03-31")
    shown = await standing.get(f"/v1/series/{series}/meetings", **{"from": "2026-03-30", "to": "2026-03-31"})
    assert [(each["occurrence"], each["starts_at"]) for each in shown["items"]] == [
        ("2026-03-30T07:00:00Z", "2026-03-31T12:00:00Z")
    ]
    again = await standing.world.post("/v1/meetings", {"series": series, "starts_at": "2026-03-30T07:00:00Z"})
    assert again.status_code == 409


async def test_a_series_is_changed_and_ended_and_what_was_called_stays(standing: Office) -> None:
    made = await standing.weekly()
    path = f"/v1/series/{made.json()['id']}"
    await standing.world.post("/v1/meetings", {"series": made.json()["id"], "starts_at": "2026-03-16T08:00:00Z"})
    changed = await standing.world.admin.patch(
        path, json={"rrule": "FREQ=WEEKLY;BYDAY=TU"}, headers={"If-Match": '"1"'}
    )
    assert changed.json()["starts_at"] == "2026-03-17T08:00:00Z"
    ended = await standing.world.post(f"{path}/end", {"on": "2026-03-31"})
    assert ended.json()["ended_on"] == "2026-03-31"
    assert await planned(standing, made.json()["id"], **{"from": "2026-03-01"}) == [
        "2026-03-17T08:00",
        "2026-03-24T08:00",
    ]
    twice = await standing.world.post(f"{path}/end", {"on": "2026-04-01"})
    problem(twice, 409, "", "This series ended on 2026-03-31.")
    meeting = {"series": made.json()["id"], "starts_at": "2026-03-31T07:00:00Z"}
    problem(await standing.world.post("/v1/meetings", meeting), 422, "/starts_at", "after that it meets no more")
    assert len((await standing.get("/v1/meetings", series=made.json()["id"]))["items"]) == 1


async def test_a_calendar_tool_upserts_a_series_and_its_meetings(standing: Office) -> None:
    body = {"name": "Board", "kind": "joint", "departments": ["sales", "it"], "rrule": "FREQ=MONTHLY;BYDAY=1TH",
            "zone": "Europe/Berlin", "starts_at": "2026-01-01T13:00:00Z"}  # fmt: skip
    made = await standing.world.admin.put("/v1/series/ext:cal:board", json=body)
    same = await standing.world.admin.put("/v1/series/ext:cal:board", json=body)
    assert (made.status_code, same.status_code, same.json()["version"]) == (201, 200, 1)
    meeting = {"series": "ext:cal:board", "starts_at": "2026-02-05T13:00:00Z", "minutes": 90}
    called = await standing.world.admin.put("/v1/meetings/ext:cal:board-feb", json=meeting)
    same = await standing.world.admin.put("/v1/meetings/ext:cal:board-feb", json=meeting)
    assert (called.status_code, same.status_code, same.json()["version"]) == (201, 200, 1)
    assert (called.json()["minutes"], called.json()["departments"]) == (90, ["sales", "it"])
    other = await standing.weekly()
    elsewhere = await standing.world.admin.put(
        "/v1/meetings/ext:cal:board-feb", json=meeting | {"series": other.json()["id"]}
    )
    problem(elsewhere, 409, "/series", "A meeting stays one of its series")


async def test_occurrences_come_in_pages(standing: Office) -> None:
    series = (await standing.weekly(rrule="FREQ=WEEKLY;BYDAY=MO;COUNT=5")).json()["id"]
    query: dict[str, Any] = {"from": "2026-01-01", "limit": 2}
    pages = []
    while True:
        page = await standing.get(f"/v1/series/{series}/meetings", **query)
        pages.append([each["occurrence"][:10] for each in page["items"]])
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert pages == [["2026-03-16", "2026-03-23"], ["2026-03-30", "2026-04-06"], ["2026-04-13"]]


SERIES_WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"rrule": "FREQ=HOURLY"}, "/rrule", "FREQ is HOURLY; a series meets DAILY, WEEKLY, MONTHLY, YEARLY."),
    ({"rrule": "FREQ=WEEKLY;BYHOUR=9"}, "/rrule", "BYHOUR is not supported in a rule"),
    ({"zone": "Berlin"}, "/zone", "'Berlin' is not a time zone"),
    ({"starts_at": "2026-03-16T09:00:00"}, "/starts_at", "has no time zone"),
    ({"starts_at": "2026-03-16T09:00:30Z"}, "/starts_at", "a meeting starts at a whole minute"),
    ({"minutes": 4}, "/minutes", "greater than or equal to 5"),
    ({"minutes": "45"}, "/minutes", ""),
    ({"teams": []}, "/kind", "one team at least; this one names 0 teams and 0 departments"),
    ({"teams": ["team_none"]}, "/teams/0", "no team team_none is known here"),
    ({"kind": "joint"}, "/kind", "two teams or departments at least; this one names 1 teams"),
    ({"kind": "party"}, "/kind", ""),
    ({"departments": ["sales", "sales"]}, "/departments/1", "department sales stands here twice"),
    ({"rule": "x"}, "/rule", ""),
]
MEETINGS_WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"starts_at": "2026-03-16T08:00:00Z"}, "", "a meeting is one of a series, or has a name of its own"),
    ({"starts_at": "2026-03-16T08:00:00Z", "series": "srs_none"}, "/series", "there is no series srs_none"),
    ({"name": "x", "series": "srs_none", "starts_at": "2026-03-16T08:00:00Z", "kind": "joint"}, "",
     "the series says who meets"),
    ({"name": "x"}, "/starts_at", ""),
]  # fmt: skip


async def test_wrong_series_and_meetings_are_refused_with_their_place_and_nothing_is_stored(standing: Office) -> None:
    before = [await stored(standing, name) for name in ("series", "meetings")]
    for wrong, pointer, says in SERIES_WRONG:
        problem(await standing.weekly(**wrong), 422, pointer, says)
    for wrong, pointer, says in MEETINGS_WRONG:
        problem(await standing.world.post("/v1/meetings", wrong), 422, pointer, says)
    assert [await stored(standing, name) for name in ("series", "meetings")] == before
    series = (await standing.weekly()).json()["id"]
    for query, pointer in (({"from": "soon"}, "/from"), ({"from": "2026-02-02", "to": "2026-02-01"}, "/to"),
                           ({"cursor": "bm90"}, "/cursor")):  # fmt: skip
        answer = await standing.world.admin.get(f"/v1/series/{series}/meetings", params=query)
        problem(answer, 422, pointer, "")
    assert (await standing.world.admin.get("/v1/series/srs_none/meetings")).status_code == 404
