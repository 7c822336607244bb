"""A whole series as one iTIP document: rule, what it leaves out, what stands apart, and what members answer to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from icalendar import Calendar as Parsed

from shared.identity.scopes import tool_scopes
from tests.meetings.office import Office, problem
from tests.meetings.test_attendance import attendance
from tests.meetings.test_calendars import events, expanded, feed, link_of
from tests.meetings.test_invitations import attendees
from tests.meetings.test_series_changes import MONDAYS, call, rescheduled, series_of
from tests.world import client_of, token_headers

FAR = "2999-01-07T09:00:00Z"
"""A Monday that is to come whenever this is run."""


async def invitation(office: Office, series: str, **query: str) -> Any:
    """The document by which a series is asked to."""
    answer = await office.world.admin.get(f"/v1/series/{series}/invitation.ics", params=query)
    assert answer.status_code == 200, answer.text
    parsed = Parsed.from_ical(answer.content)
    assert answer.headers["content-type"] == f"text/calendar; method={parsed['method']}; charset=utf-8"
    assert {str(each["uid"]) for each in events(parsed)} == {f"{series}@concert"}
    assert len({int(each["sequence"]) for each in events(parsed)}) == 1
    return parsed


def whole(parsed: Any) -> Any:
    (found,) = [each for each in events(parsed) if "recurrence-id" not in each]
    return found


def singles(parsed: Any) -> dict[str, Any]:
    """The times that stand apart, by when they would be by the rule."""
    apart = [each for each in events(parsed) if "recurrence-id" in each]
    return {each["recurrence-id"].dt.astimezone(UTC).isoformat()[:16]: each for each in apart}


async def answer(office: Office, series: str, member: str, status: str, **when: str) -> Any:
    body = {"member": member, "status": status, **when}
    return await office.world.made(f"/v1/series/{series}/attendance", body)


async def test_a_series_is_asked_to_by_its_rule_and_what_it_leaves_out(led: Office) -> None:
    series = await series_of(led, guests=[led.ivo])
    first = await invitation(led, series)
    assert str(first["method"]) == "REQUEST"
    master = whole(first)
    assert master["rrule"].to_ical() == b"FREQ=WEEKLY;BYDAY=MO"
    assert str(master["organizer"]) == "mailto:ada@example.com"
    assert attendees(master) == {
        "mailto:ada@example.com": ("Ada", "NEEDS-ACTION"), "mailto:ben@example.com": ("Ben", "NEEDS-ACTION"),
        f"urn:x-concert:{led.ivo}": ("Ivo", "NEEDS-ACTION"),
    }  # fmt: skip
    await led.world.made(f"/v1/series/{series}/skip", {"on": "2026-04-13"})
    off = await call(led, series, MONDAYS[3])
    await led.world.made(f"/v1/meetings/{off}/cancel", {})
    await rescheduled(led, series, scope="this", occurrence=MONDAYS[2], starts_at="2026-03-31T15:00:00Z", name="Fair")
    second = await invitation(led, series)
    gone = [each.astimezone(UTC).isoformat()[:16] for each in (one.dt for one in whole(second)["exdate"].dts)]
    assert gone == ["2026-04-06T07:00", "2026-04-13T07:00"]
    (moved,) = singles(second).items()
    assert (moved[0], str(moved[1]["summary"]), moved[1]["dtstart"].dt.astimezone(UTC)) == (
        "2026-03-30T07:00", "Fair", datetime(2026, 3, 31, 15, tzinfo=UTC),
    )  # fmt: skip
    # No part that asks says that it is cancelled.
    assert {str(each["status"]) for each in events(second)} == {"CONFIRMED"}
    assert int(whole(second)["sequence"]) > int(master["sequence"])
    # Who follows a calendar meets at the same times, what is cancelled apart.
    link = await link_of(led, series=series)
    assert expanded(second) == [each for each in expanded(await feed(led, link)) if each[2] != "CANCELLED"]
    assert "BEGIN:VTIMEZONE" in (await led.world.admin.get(f"/v1/series/{series}/invitation.ics")).text


async def test_sequence_never_falls_not_even_when_meetings_go_on_in_another_series(led: Office) -> None:
    series = await series_of(led)
    told = [int(whole(await invitation(led, series))["sequence"])]
    later = await call(led, series, MONDAYS[3])
    for hour in (10, 11, 12):
        await led.world.made(f"/v1/meetings/{later}/reschedule", {"starts_at": f"2026-04-06T{hour}:00:00Z"})
    told.append(int(whole(await invitation(led, series))["sequence"]))
    await answer(led, series, led.ada, "accepted")
    told.append(int(whole(await invitation(led, series))["sequence"]))
    new = await rescheduled(led, series, scope="following", occurrence=MONDAYS[3], minutes=30)
    told.append(int(whole(await invitation(led, series))["sequence"]))
    assert told == sorted(told)
    assert (told[1] > told[0], told[2] == told[1], told[3] > told[2]) == (True, True, True)
    assert whole(await invitation(led, series))["rrule"]["UNTIL"]
    assert str(whole(await invitation(led, new["series"]["id"]))["uid"]) == f"{new['series']['id']}@concert"


async def test_a_series_that_ends_before_it_meets_is_called_off(led: Office) -> None:
    series = await series_of(led, starts_at=FAR)
    await led.world.made(f"/v1/series/{series}/end", {"on": "2999-01-01"})
    parsed = await invitation(led, series)
    assert (str(parsed["method"]), str(whole(parsed)["status"])) == ("CANCEL", "CANCELLED")
    assert "rrule" not in whole(parsed)


async def test_what_is_answered_to_a_series_holds_for_meetings_called_before_and_after(led: Office) -> None:
    series = await series_of(led, starts_at=FAR, zone="UTC", guests=[led.ivo])
    first = await call(led, series, FAR)
    shown = await answer(led, series, led.ada, "accepted")
    assert shown["answers"] == [{"member": led.ada, "on": None, "status": "accepted"}]
    await answer(led, series, led.ben, "declined", on="2999-01-14")
    second = await call(led, series, "2999-01-14T09:00:00Z")
    assert await attendance(led, first) == {
        led.ada: ("accepted", False), led.ben: ("invited", False), led.ivo: ("invited", True),
    }  # fmt: skip
    assert {who: said for who, (said, _) in (await attendance(led, second)).items()} == {
        led.ada: "accepted", led.ben: "declined", led.ivo: "invited",
    }  # fmt: skip
    history = (await led.get(f"/v1/meetings/{second}/history"))["items"]
    assert history[0]["data"]["answers"] == {led.ada: "accepted", led.ben: "declined"}
    # Whoever has answered one by itself is not overruled by what they answer to all.
    await answer(led, series, led.ben, "accepted")
    assert (await attendance(led, second))[led.ben][0] == "declined"
    assert (await attendance(led, first))[led.ben][0] == "accepted"
    # Another time is asked anew.
    changed = await rescheduled(led, series, scope="all", minutes=90)
    assert changed["series"]["answers"] == []


async def test_answers_stand_in_the_invitation_and_set_days_apart(led: Office) -> None:
    series = await series_of(led, starts_at=FAR, zone="UTC")
    await answer(led, series, led.ada, "accepted")
    await answer(led, series, led.ben, "tentative", on="2999-01-14")
    parsed = await invitation(led, series)
    said = {who: status for who, (_, status) in attendees(whole(parsed)).items()}
    assert said == {"mailto:ada@example.com": "ACCEPTED", "mailto:ben@example.com": "NEEDS-ACTION"}
    (apart,) = singles(parsed).items()
    assert (apart[0], attendees(apart[1])["mailto:ben@example.com"][1]) == ("2999-01-14T09:00", "TENTATIVE")
    assert attendees(apart[1])["mailto:ada@example.com"][1] == "ACCEPTED"
    # Who does not come is free then, in their own calendar.
    await answer(led, series, led.ben, "declined")
    mine = events(await feed(led, await link_of(led, member=led.ben)))
    # But on the one day they may come.
    free = {"recurrence-id" in each: str(each.get("transp")) for each in mine}
    assert (len(mine), free[False], free[True] != "TRANSPARENT") == (2, "TRANSPARENT", True)
    # A time somebody declines does not keep them from another meeting.
    other = await led.world.made("/v1/meetings", {"name": "Fair", "teams": [led.team], "starts_at": FAR})
    assert [each["member"] for each in other["double_booked"]] == [led.ada]


async def test_an_answer_that_cannot_be_is_refused(led: Office) -> None:
    series = await series_of(led, starts_at=FAR, zone="UTC")
    post, path = led.world.post, f"/v1/series/{series}/attendance"
    problem(await post(path, {"member": led.ivo, "status": "accepted"}), 422, "/member", f"{led.ivo} is not invited")
    problem(await post(path, {"member": led.ada, "status": "present"}), 422, "/status", "invited")
    wrong = {"member": led.ada, "status": "accepted", "on": "2999-01-08"}
    problem(await post(path, wrong), 422, "/on", "does not meet at 2999-01-08")
    called = await call(led, series, FAR)
    taken = {"member": led.ada, "status": "accepted", "on": "2999-01-07"}
    problem(await post(path, taken), 409, "/on", f"it is {called}")
    await led.world.made(f"/v1/series/{series}/skip", {"on": "2999-01-14"})
    problem(await post(path, taken | {"on": "2999-01-14"}), 409, "/on", "skips 2999-01-14")
    assert (await led.get(f"/v1/series/{series}"))["answers"] == []


async def test_an_invitation_to_a_series_shows_addresses_to_who_may_read_people_only(led: Office) -> None:
    series = await series_of(led)
    path = f"/v1/series/{series}/invitation.ics"
    headers = token_headers(led.world.settings, *tool_scopes("finance"), department="finance")
    async with client_of(led.world.origin, headers) as client:
        text = (await client.get(path)).text
    assert "example.com" not in text.lower()
    assert f"urn:x-concert:{led.ben}" in text.replace("\r\n ", "")
    async with client_of(led.world.origin, token_headers(led.world.settings, "series:read")) as client:
        problem(await client.get(path), 403, "", "meetings:read")
    tag = (await led.world.admin.get(path)).headers["etag"]
    assert (await led.world.admin.get(path, headers={"If-None-Match": tag})).status_code == 304
