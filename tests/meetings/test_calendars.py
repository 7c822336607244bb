"""Calendars by secret links: another reader finds in the document the meetings that Concert shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import StringIO
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as some
from icalendar import Calendar as Parsed

from services.meetings.calendar.links import Calendar
from services.meetings.calendar.zones import zone_component
from shared.store.tables import KeptAnswer
from tests.meetings.office import Office, problem
from tests.meetings.test_series_changes import MONDAYS, call, hold, rescheduled, series_of
from tests.world import client_of, token_headers

YEAR = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC))
Found = list[tuple[datetime, str, str]]


async def link_of(office: Office, **whose: str) -> str:
    made = await office.world.made("/v1/calendars", whose)
    link: str = made["link"]
    return link


async def fetch(office: Office, link: str, **headers: str) -> httpx.Response:
    async with client_of(office.world.origin, headers) as anybody:
        return await anybody.get(link.removeprefix("http://127.0.0.1:8000"))


async def feed(office: Office, link: str) -> Any:
    answer = await fetch(office, link)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return Parsed.from_ical(answer.content)


def events(parsed: Any, **has: str) -> list[Any]:
    """The events of a document, those with certain values if any are given."""
    return [each for each in parsed.walk("VEVENT") if all(str(each.get(name)) == value for name, value in has.items())]


def expanded(parsed: Any) -> Found:
    """When whoever follows the document meets, by a library's reading of it: moment, name and status."""
    instead = {
        (str(each["uid"]), each["recurrence-id"].dt.astimezone(UTC)): each
        for each in parsed.walk("VEVENT")
        if "recurrence-id" in each
    }
    found: Found = []
    for event in parsed.walk("VEVENT"):
        if "recurrence-id" in event:
            continue
        start = event["dtstart"].dt
        times = [start]
        if "rrule" in event:
            rule = rrulestr(event["rrule"].to_ical().decode(), dtstart=start)
            times = list(takewhile(lambda at: at < YEAR[1], rule))
        left_out = event.get("exdate", [])
        left_out = left_out if isinstance(left_out, list) else [left_out]
        gone = {each.dt.astimezone(UTC) for several in left_out for each in several.dts}
        for at in (each.astimezone(UTC) for each in times):
            shown = instead.pop((str(event["uid"]), at), None)
            if at not in gone:
                found.append(_said(shown if shown is not None else event, at))
    found += [_said(each, each["dtstart"].dt) for each in instead.values()]
    return sorted(each for each in found if YEAR[0] <= each[0] < YEAR[1])


def _said(event: Any, at: datetime) -> tuple[datetime, str, str]:
    at = event["dtstart"].dt if "recurrence-id" in event else at
    return at.astimezone(UTC), str(event["summary"]), str(event["status"])


async def shown(office: Office, *series: str) -> Found:
    """The same by what Concert shows of its series."""
    found: Found = []
    for each in series:
        name = (await office.get(f"/v1/series/{each}"))["name"]
        query: dict[str, Any] = {"from": YEAR[0].isoformat(), "to": YEAR[1].isoformat(), "limit": 200}
        for row in (await office.get(f"/v1/series/{each}/meetings", **query))["items"]:
            if row["status"] == "skipped":
                continue
            meeting = await office.get(f"/v1/meetings/{row['meeting']}") if row["meeting"] else {"name": name}
            status = "CANCELLED" if row["status"] == "cancelled" else "CONFIRMED"
            found.append((datetime.fromisoformat(row["starts_at"]), meeting["name"], status))
    return sorted(found)


@pytest.mark.parametrize(
    "rule",
    ["FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY;COUNT=100", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2",
     "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20261105", "FREQ=YEARLY;BYMONTH=4,10;BYMONTHDAY=1,25",
     "FREQ=WEEKLY;BYDAY=MO;UNTIL=20261105T090000", "FREQ=DAILY;BYDAY=SA,SU"],
)  # fmt: skip
async def test_the_document_meets_when_the_series_does_across_both_clock_changes(standing: Office, rule: str) -> None:
    series = await series_of(standing, rrule=rule, name=f"By {rule}")
    parsed = await feed(standing, await link_of(standing, series=series))
    found = expanded(parsed)
    assert found == await shown(standing, series)
    assert len(found) > 3
    berlin = ZoneInfo("Europe/Berlin")
    assert {at.astimezone(berlin).strftime("%H:%M") for at, _, _ in found} == {"09:00"}
    assert str(parsed["x-wr-calname"]) == f"By {rule}"


async def test_a_moved_meeting_keeps_its_uid_a_skipped_one_is_left_out_and_a_cancelled_one_says_so(
    standing: Office,
) -> None:
    series = await series_of(standing)
    link = await link_of(standing, series=series)
    untouched = await call(standing, series, MONDAYS[0])
    moved = await rescheduled(standing, series, scope="this", occurrence=MONDAYS[2], starts_at="2026-03-31T15:00:00Z")
    off = await call(standing, series, MONDAYS[3])
    await standing.world.made(f"/v1/meetings/{off}/cancel", {})
    await standing.world.made(f"/v1/series/{series}/skip", {"on": "2026-04-13", "reason": "Ada cried"})
    parsed = await feed(standing, link)
    assert {str(each["uid"]) for each in events(parsed)} == {f"{series}@concert"}
    assert len(events(parsed)) == 3, untouched
    (master,) = [each for each in events(parsed) if "rrule" in each]
    assert [each.dt.astimezone(UTC) for each in master["exdate"].dts] == [datetime(2026, 4, 13, 7, tzinfo=UTC)]
    assert master["exdate"].params["TZID"] == "Europe/Berlin"
    (cancelled,) = events(parsed, status="CANCELLED")
    assert cancelled["recurrence-id"].dt.astimezone(UTC) == datetime(2026, 4, 6, 7, tzinfo=UTC)
    (other,) = [each for each in events(parsed, status="CONFIRMED") if "recurrence-id" in each]
    assert (other["recurrence-id"].dt.isoformat(), other["dtstart"].dt.isoformat()) == (
        "2026-03-30T09:00:00+02:00", "2026-03-31T17:00:00+02:00",
    )  # fmt: skip
    assert expanded(parsed) == await shown(standing, series)
    before = int(other["sequence"])
    assert before >= int(master["sequence"])
    await rescheduled(standing, series, scope="this", occurrence=MONDAYS[2], starts_at="2026-03-31T16:00:00Z")
    (other,) = [each for each in events(await feed(standing, link)) if each["dtstart"].dt.day == 31]
    assert int(other["sequence"]) > before
    history = (await standing.get(f"/v1/meetings/{moved['meeting']['id']}/history"))["items"]
    changed = datetime.fromisoformat(history[-1]["time"]).replace(microsecond=0)
    assert other["last-modified"].dt == other["dtstamp"].dt == changed


async def test_a_cancelled_meeting_that_is_called_anew_takes_place(standing: Office) -> None:
    series = await series_of(standing)
    off = await call(standing, series, MONDAYS[1])
    await standing.world.made(f"/v1/meetings/{off}/cancel", {})
    await call(standing, series, MONDAYS[1], name="After all")
    parsed = await feed(standing, await link_of(standing, series=series))
    assert events(parsed, status="CANCELLED") == []
    assert expanded(parsed) == await shown(standing, series)


async def test_a_link_to_a_series_follows_it_into_the_one_that_goes_on_and_what_was_held_stays(
    standing: Office,
) -> None:
    series = await series_of(standing)
    link = await link_of(standing, series=series)
    held = await call(standing, series, MONDAYS[0])
    await hold(standing, held, MONDAYS[0])
    new = (await rescheduled(standing, series, scope="following", on="2026-03-30", minutes=30,
                             starts_at="2026-03-30T12:00:00Z", name="Weekly, later"))["series"]["id"]  # fmt: skip
    parsed = await feed(standing, link)
    assert expanded(parsed) == await shown(standing, series, new)
    assert (datetime(2026, 3, 16, 8, tzinfo=UTC), "Sales weekly", "CONFIRMED") in expanded(parsed)


async def test_a_meeting_held_stays_in_the_calendar_when_its_series_meets_at_another_time(standing: Office) -> None:
    series = await series_of(standing)
    held = await call(standing, series, MONDAYS[0])
    await hold(standing, held, MONDAYS[0])
    await rescheduled(standing, series, scope="all", starts_at="2026-03-17T08:00:00Z", rrule="FREQ=WEEKLY;BYDAY=TU")
    parsed = await feed(standing, await link_of(standing, series=series))
    (alone,) = events(parsed, uid=f"{held}@concert")
    assert alone["dtstart"].dt.astimezone(UTC) == datetime(2026, 3, 16, 8, tzinfo=UTC)


async def test_the_calendar_of_a_member_has_what_their_team_meets_for_and_what_they_are_invited_to(
    office: Office,
) -> None:
    series = await series_of(office)
    ada, ben = await link_of(office, member=office.ada), await link_of(office, member=office.ben)
    soon = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0, second=0)
    single = {"name": "Fair", "starts_at": soon.isoformat(), "departments": ["it"]}
    meeting = await office.world.made("/v1/meetings", single)
    assert events(await feed(office, ada)) == []
    joined = await office.world.post(f"/v1/members/{office.ada}/join", {"team": office.team, "from": "2026-01-02"})
    await office.world.settled("/v1/series", joined)
    invite = {"member": office.ada, "status": "invited"}
    await office.world.made(f"/v1/meetings/{meeting['id']}/attendance", invite)
    parsed = await feed(office, ada)
    assert sorted(str(each["summary"]) for each in events(parsed)) == ["Fair", "Sales weekly"]
    assert events(parsed, uid=f"{series}@concert")
    await office.world.made(f"/v1/meetings/{meeting['id']}/attendance", invite | {"status": "declined"})
    assert [str(each["summary"]) for each in events(await feed(office, ada), transp="TRANSPARENT")] == ["Fair"]
    assert events(await feed(office, ben)) == []
    ivo = await feed(office, await link_of(office, member=office.ivo))
    assert [str(each["summary"]) for each in events(ivo)] == ["Fair"]
    team = await feed(office, await link_of(office, team=office.team))
    assert [str(each["summary"]) for each in events(team)] == ["Sales weekly"]


async def test_one_day_of_a_series_that_is_declined_is_free_and_the_rest_stays(led: Office) -> None:
    series = await series_of(led, starts_at="2999-01-07T09:00:00Z", zone="UTC")
    ada, ben = await link_of(led, member=led.ada), await link_of(led, member=led.ben)
    first = events(await feed(led, ada))[0]

    async def answered(status: str, **when: str) -> None:
        await led.world.made(f"/v1/series/{series}/attendance", {"member": led.ada, "status": status, **when})

    await answered("declined", on="2999-01-14")
    whole, single = events(await feed(led, ada))
    assert ("transp" in whole, whole["rrule"], "exdate" in whole) == (False, first["rrule"], False)
    assert (str(single["uid"]), single["recurrence-id"].dt) == (str(whole["uid"]), datetime(2999, 1, 14, 9, tzinfo=UTC))
    assert (single["dtstart"].dt, str(single["transp"])) == (single["recurrence-id"].dt, "TRANSPARENT")
    assert single["sequence"] >= whole["sequence"]
    # It is in the calendar of nobody else, and a meeting that is called then takes its place.
    assert len(events(await feed(led, ben))) == len(events(await feed(led, await link_of(led, team=led.team)))) == 1
    # Who declines all of them comes to the one of a day: only that takes their time.
    await answered("declined")
    await answered("accepted", on="2999-01-14")
    whole, single = events(await feed(led, ada))
    assert (str(whole["transp"]), str(single["transp"])) == ("TRANSPARENT", "OPAQUE")
    await led.world.made(f"/v1/series/{series}/skip", {"on": "2999-01-14"})
    assert [str(each["transp"]) for each in events(await feed(led, ada))] == ["TRANSPARENT"]


async def test_a_member_who_has_left_or_was_erased_has_no_calendar(office: Office) -> None:
    ada, ben = await link_of(office, member=office.ada), await link_of(office, member=office.ben)
    left = await office.world.post(f"/v1/members/{office.ada}/leave", {"on": "2026-02-01"})
    await office.world.settled("/v1/series", left)
    assert (await fetch(office, ada)).status_code == 404
    erased = await office.world.admin.delete(f"/v1/members/{office.ben}/personal-data")
    assert erased.status_code in (200, 204), erased.text
    await office.world.settled("/v1/series", erased)
    assert (await fetch(office, ben)).status_code == 404


async def test_the_key_opens_its_calendar_and_nothing_else_until_it_is_changed_or_revoked(standing: Office) -> None:
    series, other = await series_of(standing), await series_of(standing)
    made = await standing.world.made("/v1/calendars", {"series": series})
    link, key = made["link"], made["link"].partition("key=")[2]
    assert f"/v1/series/{series}/calendar.ics?key=" in link
    assert "link" not in await standing.get(f"/v1/calendars/{made['id']}")
    assert (await fetch(standing, link)).status_code == 200
    assert (await fetch(standing, f"/v1/calendars/{made['id']}/calendar.ics?key={key}")).status_code == 200
    for wrong in (f"/v1/series/{other}/calendar.ics?key={key}",
                  f"/v1/series/{series}/calendar.ics",
                  f"/v1/series/{series}/calendar.ics?key={key}x", f"/v1/series/srs_none/calendar.ics?key={key}",
                  f"/v1/calendars/cal_none/calendar.ics?key={key}",
                  f"/v1/calendars/{made['id']}/calendar.ics"):  # fmt: skip
        problem(await fetch(standing, wrong), 404, "", "No calendar has this key.")
    turned = await standing.world.made(f"/v1/calendars/{made['id']}/rotate", {})
    assert (turned["version"], turned["link"] != link) == (2, True)
    assert (await fetch(standing, link)).status_code == 404
    assert (await fetch(standing, turned["link"])).status_code == 200
    revoked = await standing.world.admin.delete(f"/v1/calendars/{made['id']}")
    assert revoked.status_code == 204
    assert (await fetch(standing, turned["link"])).status_code == 404


async def test_of_a_key_only_a_hash_is_kept_also_with_an_idempotency_key(standing: Office) -> None:
    body = {"team": standing.team}
    first, again = [await standing.world.admin.post("/v1/calendars", json=body, headers={"Idempotency-Key": "cal"})
                    for _ in range(2)]  # fmt: skip
    assert (first.status_code, again.status_code) == (201, 201)
    key = first.json()["link"].partition("key=")[2]
    assert again.json() == first.json() | {"link": None}
    store = standing.world.services["meetings"].runtime.store
    rows = await store.read(lambda snapshot: snapshot.all(Calendar, sa.select(Calendar)))
    kept = await store.read(lambda snapshot: snapshot.all(KeptAnswer, sa.select(KeptAnswer)))
    assert kept
    assert not [each for each in (*rows, *kept) if key in str(each.content())]


async def test_a_document_that_has_not_changed_is_not_sent_again(standing: Office) -> None:
    series = await series_of(standing)
    link = await link_of(standing, series=series)
    first, second = [await fetch(standing, link) for _ in range(2)]
    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])
    same = await fetch(standing, link, **{"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    await standing.world.made(f"/v1/series/{series}/skip", {"on": "2026-03-30"})
    changed = await fetch(standing, link, **{"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_nothing_that_people_wrote_or_answered_is_in_a_calendar(standing: Office) -> None:
    words = "Ada cried about Mr Meyer"
    series = await series_of(standing)
    meeting = await call(standing, series, MONDAYS[0], minutes=20)
    await standing.world.made("/v1/items", {"kind": "problem", "title": words, "meeting": meeting})
    await standing.world.made(f"/v1/meetings/{meeting}/attendance", {"member": standing.ivo, "status": "invited"})
    await standing.world.made(f"/v1/series/{series}/skip", {"on": "2026-04-13", "reason": words})
    await standing.world.made(f"/v1/meetings/{meeting}/start", {"at": MONDAYS[0]})
    await standing.world.made(f"/v1/meetings/{meeting}/end", {"at": MONDAYS[0], "minutes": words})
    text = (await fetch(standing, await link_of(standing, series=series))).text
    assert "Meyer" not in text
    assert standing.ivo not in text


async def test_a_member_makes_and_sees_own_calendars_only(standing: Office) -> None:
    scopes = ("calendars:write",)
    ada = token_headers(standing.world.settings, *scopes, member=standing.ada)
    ben = token_headers(standing.world.settings, *scopes, member=standing.ben)
    async with client_of(standing.world.origin, ada) as hers, client_of(standing.world.origin, ben) as his:
        problem(
            await hers.post("/v1/calendars", json={"member": standing.ben}), 403, "", "makes a calendar of their own"
        )
        made = (await hers.post("/v1/calendars", json={"member": standing.ada})).json()
        assert (await his.get(f"/v1/calendars/{made['id']}")).status_code == 404
        assert (await his.post(f"/v1/calendars/{made['id']}/rotate")).status_code == 404
        assert (await his.delete(f"/v1/calendars/{made['id']}")).status_code == 404
        assert (await his.get("/v1/calendars")).json()["items"] == []
        assert [each["id"] for each in (await hers.get("/v1/calendars")).json()["items"]] == [made["id"]]
    for body, pointer in (({}, ""), ({"member": "mbr_none"}, "/member"), ({"team": "x", "series": "y"}, ""),
                          ({"series": "srs_none"}, "/series")):  # fmt: skip
        problem(await standing.world.post("/v1/calendars", body), 422, pointer, "")


@settings(max_examples=25, deadline=None)
@given(
    name=some.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata",
                            "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin", "Pacific/Apia"]),
    hours=some.lists(some.integers(0, 24 * 365 * 6), min_size=20, max_size=20),
)  # fmt: skip
def test_a_zone_is_told_as_it_is_to_the_hour_of_its_changes(name: str, hours: list[int]) -> None:
    text = b"BEGIN:VCALENDAR\r\n" + zone_component(name, 2024, 2030) + b"END:VCALENDAR\r\n"
    other, ours = tzical(StringIO(text.decode().replace("\r\n ", ""))).get(), ZoneInfo(name)
    changes = _changes(ours, 2024, 2030)
    moments = [datetime(2024, 1, 2, tzinfo=UTC) + timedelta(hours=hour) for hour in hours]
    for at in (*moments, *changes, *(each - timedelta(hours=2) for each in changes)):
        # By the wall clock, as a calendar program reads a meeting's time; twice the same hour means the first.
        wall = at.astimezone(ours).replace(tzinfo=None, fold=0)
        told, meant = wall.replace(tzinfo=other), wall.replace(tzinfo=ours)
        if meant.astimezone(UTC).astimezone(ours).replace(tzinfo=None) == wall:
            assert told.utcoffset() == meant.utcoffset(), (name, wall)


@cache
def _changes(zone: ZoneInfo, first: int, last: int) -> list[datetime]:
    begin = datetime(first, 1, 2, tzinfo=UTC)
    hours = (begin + timedelta(hours=hour) for hour in range((date(last, 12, 30) - date(first, 1, 2)).days * 24))
    return [
        at for at in hours if at.astimezone(zone).utcoffset() != (at - timedelta(hours=1)).astimezone(zone).utcoffset()
    ]
