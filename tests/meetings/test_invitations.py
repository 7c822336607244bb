"""Meetings as iTIP documents: what a mailer sends, and what a calendar program makes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
from icalendar import Calendar as Parsed

from shared.identity.scopes import member_scopes, tool_scopes
from tests.meetings.office import Office, problem
from tests.meetings.test_calendars import events, feed, link_of
from tests.meetings.test_series_changes import MONDAYS, call, rescheduled, series_of
from tests.world import client_of, token_headers


async def asked(office: Office, meeting: str, client: httpx.AsyncClient | None = None, **query: str) -> httpx.Response:
    return await (client or office.world.admin).get(f"/v1/meetings/{meeting}/invitation.ics", params=query)


async def invitation(office: Office, meeting: str, client: httpx.AsyncClient | None = None, **query: str) -> Any:
    """The one event of a meeting's invitation, and what is asked by it."""
    answer = await asked(office, meeting, client, **query)
    assert answer.status_code == 200, answer.text
    parsed = Parsed.from_ical(answer.content)
    (event,) = events(parsed)
    method = str(parsed["method"])
    assert answer.headers["content-type"] == f"text/calendar; method={method}; charset=utf-8"
    return method, event


def attendees(event: Any) -> dict[str, tuple[str, str]]:
    """By address the name, and what was answered."""
    several = event.get("attendee", [])
    several = several if isinstance(several, list) else [several]
    return {str(each): (str(each.params["CN"]), str(each.params["PARTSTAT"])) for each in several}


async def test_an_invitation_names_who_asks_and_what_each_has_answered(led: Office) -> None:
    series = await series_of(led)
    meeting = await call(led, series, MONDAYS[2], guests=[led.ivo])
    for member, status in ((led.ada, "accepted"), (led.ivo, "tentative")):
        await led.world.made(f"/v1/meetings/{meeting}/attendance", {"member": member, "status": status})
    method, event = await invitation(led, meeting)
    assert (method, str(event["uid"]), int(event["sequence"])) == ("REQUEST", f"{meeting}@concert", 0)
    assert (str(event["organizer"]), event["organizer"].params["CN"]) == ("mailto:ada@example.com", "Ada")
    assert attendees(event) == {
        "mailto:ada@example.com": ("Ada", "ACCEPTED"), "mailto:ben@example.com": ("Ben", "NEEDS-ACTION"),
        f"urn:x-concert:{led.ivo}": ("Ivo", "TENTATIVE"),
    }  # fmt: skip
    assert event["dtstart"].dt.astimezone(UTC) == datetime(2026, 3, 30, 7, tzinfo=UTC)
    assert event["dtstart"].params["TZID"] == "Europe/Berlin"
    assert "BEGIN:VTIMEZONE" in (await asked(led, meeting)).text
    _, to_tool = await invitation(led, meeting, organizer="meetings@example.com")
    assert str(to_tool["organizer"]) == "mailto:meetings@example.com"


async def test_sequence_rises_when_the_meeting_moves_and_not_when_somebody_answers(led: Office) -> None:
    series = await series_of(led)
    meeting = await call(led, series, MONDAYS[1])
    accept = {"member": led.ada, "status": "accepted"}

    async def now() -> tuple[str, str, int, str]:
        method, event = await invitation(led, meeting)
        return method, str(event["uid"]), int(event["sequence"]), attendees(event)["mailto:ada@example.com"][1]

    uid = f"{meeting}@concert"
    assert await now() == ("REQUEST", uid, 0, "NEEDS-ACTION")
    tag = (await asked(led, meeting)).headers["etag"]
    await led.world.made(f"/v1/meetings/{meeting}/attendance", accept)
    assert await now() == ("REQUEST", uid, 0, "ACCEPTED")
    assert (await asked(led, meeting)).headers["etag"] != tag
    await led.world.made(f"/v1/meetings/{meeting}/reschedule", {"starts_at": "2026-03-24T08:00:00Z"})
    assert await now() == ("REQUEST", uid, 1, "NEEDS-ACTION")
    # A series that goes on takes the meeting along: it is the same for those who were asked.
    await rescheduled(led, series, scope="following", on="2026-03-23", starts_at="2026-03-23T09:00:00Z")
    assert (await now())[:3] == ("REQUEST", uid, 2)
    await led.world.made(f"/v1/meetings/{meeting}/attendance", accept)
    told = await led.world.made("/v1/meetings/cancel", {"meetings": [meeting]})
    assert told["done"] == 1
    assert await now() == ("CANCEL", uid, 3, "ACCEPTED")
    _, event = await invitation(led, meeting)
    assert str(event["status"]) == "CANCELLED"
    assert "RSVP" not in str(event["attendee"])


async def test_an_invitation_and_a_calendar_agree_on_a_meeting_by_itself(led: Office) -> None:
    made = await led.world.made("/v1/meetings", {"name": "Fair", "teams": [led.team], "starts_at": MONDAYS[1]})
    path = f"/v1/meetings/{made['id']}"
    await led.world.made(f"{path}/attendance", {"member": led.ada, "status": "accepted"})
    await led.world.made(f"{path}/reschedule", {"minutes": 90})
    _, sent = await invitation(led, made["id"])
    (followed,) = events(await feed(led, await link_of(led, team=led.team)), uid=f"{made['id']}@concert")
    for name in ("uid", "sequence", "dtstart", "duration", "last-modified", "summary", "status"):
        assert str(sent[name]) == str(followed[name]), name
    assert int(sent["sequence"]) == 1


async def test_who_may_not_read_people_finds_ids_and_who_may_not_read_meetings_nothing(led: Office) -> None:
    meeting = await call(led, await series_of(led), MONDAYS[1])
    path = f"/v1/meetings/{meeting}/invitation.ics"
    for scopes, department in ((tool_scopes("finance"), "finance"), (("meetings:read",), None)):
        async with client_of(led.world.origin, token_headers(led.world.settings, *scopes, department=department)) as to:
            text = (await to.get(path)).text
            _, event = await invitation(led, meeting, to)
        assert "example.com" not in text
        assert "Ada" not in text
        assert str(event["organizer"]) == f"urn:x-concert:{led.ada}"
        assert attendees(event)[f"urn:x-concert:{led.ben}"] == (led.ben, "NEEDS-ACTION")
    headers = token_headers(led.world.settings, *member_scopes("sales"), member=led.ben)
    async with client_of(led.world.origin, headers) as ben:
        assert "mailto:ada@example.com" in (await ben.get(path)).text
    async with client_of(led.world.origin, token_headers(led.world.settings, "items:read")) as other:
        problem(await other.get(path), 403, "", "meetings:read")
    erased = await led.world.admin.delete(f"/v1/members/{led.ben}/personal-data")
    assert erased.status_code in (200, 204), erased.text
    assert "ben@example.com" not in (await asked(led, meeting)).text


async def test_a_meeting_for_which_nobody_asks_needs_an_address(lone: Office) -> None:
    body = {"name": "All", "kind": "joint", "departments": ["sales", "it"], "starts_at": MONDAYS[0]}
    meeting = (await lone.world.made("/v1/meetings", body))["id"]
    problem(await asked(lone, meeting), 409, "/organizer", "name in organizer the address")
    for nonsense in ("nobody", "a@b\r\nATTENDEE:mailto:x@y", "a b@c", "mailto:a@b"):
        problem(await asked(lone, meeting, organizer=nonsense), 422, "", "organizer")
    _, event = await invitation(lone, meeting, organizer="meetings@example.com")
    assert len(attendees(event)) == 3
    problem(await asked(lone, "mtg_none"), 404, "", "There is no meeting mtg_none")


async def test_guests_of_a_debrief_are_invited_each_time_and_find_it_in_their_calendar(lone_led: Office) -> None:
    debrief = await series_of(lone_led, name="Debrief", kind="debrief", guests=[lone_led.ivo])
    assert (await lone_led.get(f"/v1/series/{debrief}"))["guests"] == [lone_led.ivo]
    link = await link_of(lone_led, member=lone_led.ivo)
    assert [str(each["summary"]) for each in events(await feed(lone_led, link))] == ["Debrief"]
    meeting = await call(lone_led, debrief, MONDAYS[1])
    shown = {
        each["member"]: each["guest"] for each in (await lone_led.get(f"/v1/meetings/{meeting}/attendance"))["items"]
    }
    assert shown == {lone_led.ada: False, lone_led.ben: False, lone_led.ivo: True}
    left = await lone_led.world.post(f"/v1/members/{lone_led.ivo}/leave", {"on": "2026-03-28", "reason": "moved"})
    await lone_led.world.settled("/v1/series", left)
    later = await call(lone_led, debrief, MONDAYS[2])
    assert lone_led.ivo not in [
        each["member"] for each in (await lone_led.get(f"/v1/meetings/{later}/attendance"))["items"]
    ]
    nobody = await lone_led.world.admin.patch(f"/v1/series/{debrief}", json={"guests": ["mbr_none"]},
                                         headers={"If-Match": "*"})  # fmt: skip
    problem(nobody, 422, "/guests/0", "mbr_none")
    none = await lone_led.world.admin.patch(f"/v1/series/{debrief}", json={"guests": []}, headers={"If-Match": "*"})
    assert none.json()["guests"] == []
