"""What a mailbox gets back on an invitation, METHOD:REPLY, is taken for an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from shared.identity.scopes import tool_scopes
from tests.meetings.office import Office, problem
from tests.meetings.test_attendance import attendance
from tests.meetings.test_series_changes import MONDAYS, call, rescheduled, series_of
from tests.meetings.test_series_invitations import FAR
from tests.world import client_of, token_headers

OUTLOOK = """BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:{method}
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT={partstat}:{attendee}
COMMENT:At the dentist, as Mr Meyer knows\\n
UID:{uid}
{lines}
DTSTAMP:20260301T090000Z
SUMMARY:Accepted: Sales weekly
END:VEVENT
END:VCALENDAR
"""


def reply(
    uid: str, partstat: str = "ACCEPTED", attendee: str = "mailto:BEN@example.com", *lines: str, method: str = "REPLY"
) -> bytes:
    said = {"uid": f"{uid}@concert", "partstat": partstat, "attendee": attendee, "method": method}
    text = OUTLOOK.format(**said, lines="\n".join(lines) or "SEQUENCE:0")
    return text.replace("\n", "\r\n").encode()


async def send(office: Office, raw: bytes, client: httpx.AsyncClient | None = None) -> httpx.Response:
    headers = {"Content-Type": "text/calendar; method=REPLY"}
    return await (client or office.world.admin).post("/v1/meetings/replies", content=raw, headers=headers)


async def noted(office: Office, raw: bytes) -> Any:
    answer = await send(office, raw)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["items"]
    return found


def stamp(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%Y%m%dT%H%M%SZ")


@pytest.mark.parametrize(
    ("partstat", "status"), [("ACCEPTED", "accepted"), ("TENTATIVE", "tentative"), ("DECLINED", "declined")]
)
async def test_a_reply_is_an_answer_of_who_has_that_address(led: Office, partstat: str, status: str) -> None:
    meeting = await call(led, await series_of(led), MONDAYS[1])
    found = await noted(led, reply(meeting, partstat))
    assert (found["member"], found["status"], found["meeting"]) == (led.ben, status, meeting)
    assert (await attendance(led, meeting))[led.ben] == (status, False)
    again = await send(led, reply(meeting, partstat))
    assert (again.status_code, again.headers.get("concert-version")) == (200, None)
    # What they wrote with it is kept nowhere.
    history = (await led.get(f"/v1/meetings/{meeting}/history"))["items"]
    assert "Meyer" not in str(history)
    by_id = await noted(led, reply(meeting, "ACCEPTED", f"urn:x-concert:{led.ada}"))
    assert by_id["member"] == led.ada


async def test_an_answer_to_a_time_that_has_changed_since_is_refused_and_one_to_what_is_still_so_counts(
    led: Office,
) -> None:
    meeting = await call(led, await series_of(led), MONDAYS[1])
    path = f"/v1/meetings/{meeting}"
    moved = "2026-03-24T08:00:00Z"
    await led.world.made(f"{path}/reschedule", {"starts_at": moved})
    old = reply(meeting, "ACCEPTED", "mailto:ben@example.com", "SEQUENCE:0", f"DTSTART:{stamp(MONDAYS[1])}")
    problem(await send(led, old), 409, "/SEQUENCE", "SEQUENCE 0, now 1")
    problem(await send(led, reply(meeting)), 409, "/SEQUENCE", "SEQUENCE 0, now 1")
    assert (await attendance(led, meeting))[led.ben] == ("invited", False)
    renamed = await led.world.admin.patch(path, json={"name": "Stock"}, headers={"If-Match": "*"})
    assert renamed.status_code == 200
    outlook = "DTSTART;TZID=W. Europe Standard Time:20260324T090000"
    await noted(led, reply(meeting, "ACCEPTED", "mailto:ben@example.com", "SEQUENCE:1", outlook))
    assert (await attendance(led, meeting))[led.ben] == ("accepted", False)
    await led.world.made(f"{path}/cancel", {})
    problem(await send(led, reply(meeting, "DECLINED", "mailto:ben@example.com", "SEQUENCE:9")), 409, "/status",
            "This meeting is cancelled")  # fmt: skip


async def test_a_reply_to_a_series_is_one_to_all_or_to_a_single_time(led: Office) -> None:
    series = await series_of(led, starts_at=FAR, zone="UTC")
    called = await call(led, series, FAR)
    to_all = await noted(led, reply(series, "ACCEPTED", "mailto:ben@example.com", "SEQUENCE:1"))
    assert (to_all["series"], to_all["meeting"], to_all["occurrence"]) == (series, None, None)
    assert (await attendance(led, called))[led.ben] == ("accepted", False)
    one = ["SEQUENCE:1", "RECURRENCE-ID:29990107T090000Z", "DTSTART:29990107T090000Z"]
    to_called = await noted(led, reply(series, "DECLINED", "mailto:ben@example.com", *one))
    assert (to_called["series"], to_called["meeting"]) == (series, called)
    assert (await attendance(led, called))[led.ben] == ("declined", False)
    later = ["SEQUENCE:1", "RECURRENCE-ID:29990114T090000Z", "DTSTART:29990114T090000Z"]
    to_planned = await noted(led, reply(series, "TENTATIVE", "mailto:ben@example.com", *later))
    assert (to_planned["meeting"], to_planned["occurrence"]) == (None, "2999-01-14T09:00:00Z")
    assert (await led.get(f"/v1/series/{series}"))["answers"] == [
        {"member": led.ben, "on": None, "status": "accepted"},
        {"member": led.ben, "on": "2999-01-14", "status": "tentative"},
    ]
    wrong = ["SEQUENCE:1", "RECURRENCE-ID:29990115T090000Z"]
    problem(await send(led, reply(series, "ACCEPTED", "mailto:ben@example.com", *wrong)), 422, "/RECURRENCE-ID",
            "does not meet at 2999-01-15")  # fmt: skip
    await rescheduled(led, series, scope="all", starts_at="2999-01-07T10:00:00Z")
    stale = ["SEQUENCE:1", "DTSTART:29990107T090000Z"]
    problem(
        await send(led, reply(series, "ACCEPTED", "mailto:ben@example.com", *stale)), 409, "/SEQUENCE", "another by"
    )


@pytest.mark.parametrize(
    ("change", "place", "says"),
    [
        ({"method": "COUNTER"}, "/METHOD", "METHOD is COUNTER; what is taken is METHOD:REPLY"),
        ({"partstat": "DELEGATED"}, "/ATTENDEE", "PARTSTAT is DELEGATED"),
        ({"attendee": "mailto:eve@example.com"}, "/ATTENDEE", "Nobody who is invited is known by the address"),
        ({"attendee": "urn:x-concert:mbr_none"}, "/ATTENDEE", "Nobody who is invited"),
        ({"uid": "040000008200E00074C5B7101A82E008"}, "/UID", "of an invitation from here"),
        ({"lines": ["SEQUENCE:0", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260323T080000Z"]}, "/RECURRENCE-ID", "RANGE"),
        ({"lines": ["SEQUENCE:0", "ATTENDEE:mailto:ada@example.com"]}, "/ATTENDEE", "here 2 times"),
        ({"lines": ["SEQUENCE:0", "DTSTART:soon"]}, "", "no iCalendar document that can be read"),
        ({"lines": ["SEQUENCE:many"]}, "", "no iCalendar document that can be read"),
    ],
)
async def test_what_is_no_answer_is_refused_with_its_place(
    led: Office, change: dict[str, Any], place: str, says: str
) -> None:
    meeting = await call(led, await series_of(led), MONDAYS[1])
    said = {"uid": meeting, "partstat": "ACCEPTED", "attendee": "mailto:ben@example.com"} | change
    lines, method = said.pop("lines", []), said.pop("method", "REPLY")
    raw = reply(said["uid"], said["partstat"], said["attendee"], *lines, method=method)
    problem(await send(led, raw), 422, place, says)
    assert {status for status, _ in (await attendance(led, meeting)).values()} == {"invited"}


async def test_nonsense_is_no_reply_and_who_may_not_write_or_read_people_sends_none(led: Office) -> None:
    meeting = await call(led, await series_of(led), MONDAYS[1])
    for raw in (b"", b"nonsense", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"):
        answer = await send(led, raw)
        problem(answer, 422, "", "")
    problem(await send(led, reply("mtg_none")), 404, "", "mtg_none")
    for scopes, says in ((("meetings:read",), "meetings:write"), (tuple(tool_scopes("finance")), "people:read")):
        async with client_of(led.world.origin, token_headers(led.world.settings, *scopes)) as client:
            problem(await send(led, reply(meeting), client), 403, "", says)
    only_meetings = token_headers(led.world.settings, "meetings:write", "people:read")
    async with client_of(led.world.origin, only_meetings) as client:
        problem(await send(led, reply("srs_none"), client), 403, "", "series:write")
