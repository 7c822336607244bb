"""Who would have to be at two meetings at once is told beside the answer, and nothing is refused for it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.identity.scopes import member_scopes
from tests.meetings.office import Office, problem
from tests.meetings.test_series_changes import MONDAYS, call, rescheduled, series_of
from tests.meetings.test_several import at_once
from tests.world import client_of, token_headers

pytestmark = pytest.mark.embedded_by_day

NINE, HALF_PAST, TEN = "2026-03-23T08:00:00Z", "2026-03-23T08:30:00Z", "2026-03-23T09:00:00Z"
Seen = list[tuple[str, str | None, str]]


async def alone(office: Office, at: str, **fields: Any) -> Any:
    """A meeting by itself, of the team if nothing else is said."""
    body = {"name": "Fair", "teams": [office.team], "starts_at": at, "minutes": 60} | fields
    return await office.world.made("/v1/meetings", body)


def seen(told: Any) -> Seen:
    """Who is expected where else."""
    return [(each["member"], each["meeting"], each["name"]) for each in told["double_booked"]]


async def test_who_is_invited_elsewhere_then_is_told_when_a_meeting_is_called_and_nothing_is_refused(
    led: Office,
) -> None:
    first = await alone(led, NINE)
    assert seen(first) == []
    second = await alone(led, HALF_PAST, name="Stock", teams=[], departments=["sales"])
    assert seen(second) == [(led.ada, first["id"], "Fair"), (led.ben, first["id"], "Fair")]
    told = second["double_booked"][0]
    assert (told["starts_at"], told["minutes"], told["series"]) == (NINE, 60, None)
    # Who is not in both is not spoken of, and meetings that only touch do not meet.
    assert seen(await alone(led, HALF_PAST, name="Servers", teams=[], departments=["it"])) == []
    assert seen(await alone(led, "2026-03-23T07:00:00Z", name="Early")) == []
    # It is told to who writes; whoever reads asks for it.
    assert "double_booked" not in await led.get(f"/v1/meetings/{second['id']}")
    listed = await led.get(f"/v1/meetings/{first['id']}/double-bookings")
    assert [(each["member"], each["name"]) for each in listed["items"]] == [(led.ada, "Stock"), (led.ben, "Stock")]


async def test_a_meeting_that_is_moved_is_looked_at_where_it_is_now(lone_led: Office) -> None:
    first, second = await alone(lone_led, NINE), await alone(lone_led, TEN, name="Stock")
    assert seen(second) == []
    path = f"/v1/meetings/{second['id']}"
    moved = await lone_led.world.made(f"{path}/reschedule", {"starts_at": HALF_PAST})
    assert seen(moved) == [(lone_led.ada, first["id"], "Fair"), (lone_led.ben, first["id"], "Fair")]
    shorter = await lone_led.world.made(f"/v1/meetings/{first['id']}/reschedule", {"minutes": 30})
    assert seen(shorter) == []
    longer = await lone_led.world.admin.patch(f"/v1/meetings/{first['id']}", json={"minutes": 45},
                                          headers={"If-Match": "*"})  # fmt: skip
    assert len(seen(longer.json())) == 2
    await lone_led.world.made(f"{path}/cancel", {})
    assert (await lone_led.get(f"/v1/meetings/{first['id']}/double-bookings"))["items"] == []
    assert (await lone_led.get(f"{path}/double-bookings"))["items"] == []


async def test_who_has_declined_is_not_expected_there(lone_led: Office) -> None:
    first = await alone(lone_led, NINE)
    await lone_led.world.made(f"/v1/meetings/{first['id']}/attendance", {"member": lone_led.ada, "status": "declined"})
    second = await alone(lone_led, NINE, name="Stock", guests=[lone_led.ivo])
    assert [member for member, *_ in seen(second)] == [lone_led.ben]
    # A guest of both is found like a member of both, when they are invited.
    third = await alone(lone_led, NINE, name="Servers", teams=[], departments=["it"])
    assert seen(third) == [(lone_led.ivo, second["id"], "Stock")]
    answered = {"member": lone_led.ivo, "status": "declined"}
    assert seen(await lone_led.world.made(f"/v1/meetings/{second['id']}/attendance", answered)) == [
        (lone_led.ben, first["id"], "Fair")
    ]


async def test_the_times_of_a_series_count_before_they_become_a_meeting_and_once_afterwards(lone_led: Office) -> None:
    weekly = await series_of(lone_led)
    planned = await alone(lone_led, NINE)
    assert seen(planned) == [(member, None, "Sales weekly") for member in sorted([lone_led.ada, lone_led.ben])]
    assert {each["series"] for each in planned["double_booked"]} == {weekly}
    called = await call(lone_led, weekly, MONDAYS[1])
    again = await lone_led.get(f"/v1/meetings/{planned['id']}/double-bookings")
    assert [each["meeting"] for each in again["items"]] == [called, called]
    # One that is skipped, cancelled or moved away takes nobody's time.
    await lone_led.world.made(f"/v1/series/{weekly}/skip", {"on": "2026-03-30"})
    assert seen(await alone(lone_led, MONDAYS[2])) == []
    told = await rescheduled(lone_led, weekly, scope="this", on="2026-03-23", starts_at=TEN)
    assert told["meeting"]["double_booked"] == []
    assert (await lone_led.get(f"/v1/meetings/{planned['id']}/double-bookings"))["items"] == []


async def test_a_series_that_is_planned_tells_of_its_next_times(led: Office) -> None:
    at = {"starts_at": "2999-01-07T09:00:00Z", "zone": "UTC"}
    first = await series_of(led, **at)
    second = (await led.weekly(**at, name="Stock", rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO")).json()
    assert len(second["double_booked"]) == 16
    assert {(each["series"], each["name"]) for each in second["double_booked"]} == {(first, "Sales weekly")}
    headers = token_headers(led.world.settings, "series:write")
    async with client_of(led.world.origin, headers) as client:
        body = {"name": "Secret", "teams": [led.team], "rrule": "FREQ=WEEKLY;BYDAY=MO", **at}
        assert (await client.post("/v1/series", json=body)).json()["double_booked"] == []


async def test_several_that_are_moved_at_once_are_looked_at_as_they_come_to_be(led: Office) -> None:
    weekly = await series_of(led)
    fair = await alone(led, "2026-03-24T08:30:00Z")
    moving = {"from": "2026-03-23", "to": "2026-03-31", "series": weekly, "days": 1}
    tried = await at_once(led, "reschedule", **moving, dry_run=True)
    done = await at_once(led, "reschedule", **moving)
    for told in (tried, done):
        assert [seen(each) for each in told["items"]] == [
            [(member, fair["id"], "Fair") for member in sorted([led.ada, led.ben])], [],
        ]  # fmt: skip
    # Two that are moved together keep their distance: neither is where the other was.
    first, second = await alone(led, "2026-05-04T08:00:00Z"), await alone(led, "2026-05-04T09:00:00Z")
    for dry_run in (True, False):
        later = await at_once(led, "reschedule", meetings=[first["id"], second["id"]], minutes=60, dry_run=dry_run)
        assert [seen(each) for each in later["items"]] == [[], []]


async def test_who_leaves_the_team_before_is_not_expected(lone_led: Office) -> None:
    await alone(lone_led, NINE)
    left = await lone_led.world.post(f"/v1/members/{lone_led.ben}/leave", {"team": lone_led.team, "on": "2026-03-20"})
    await lone_led.world.settled("/v1/series", left)
    assert [member for member, *_ in seen(await alone(lone_led, NINE, name="Stock"))] == [lone_led.ada]


async def test_who_is_away_is_told_to_who_may_see_their_days_and_never_why(led: Office) -> None:
    await led.world.admin.patch(f"/v1/teams/{led.team}", json={"leader": led.ada}, headers={"If-Match": "*"})
    for member, start, end, more in (
        (led.ben, "2026-03-20", "2026-03-24", {}),
        (led.ivo, "2026-03-23", None, {}),
        (led.ada, "2026-03-23", "2026-03-24", {"share": "0.5"}),
    ):
        body = {"member": member, "from": start, "to": end, "kind": "operation", **more}
        last = await led.world.post("/v1/absences", body)
        await led.world.settled("/v1/series", last)

    def writer(*scopes: str, **who: Any) -> dict[str, str]:
        return token_headers(led.world.settings, "meetings:write", "series:write", *scopes, **who)

    async def away(headers: dict[str, str], at: str = NINE) -> list[str]:
        body = {"name": "Fair", "teams": [led.team], "guests": [led.ivo], "starts_at": at}
        async with client_of(led.world.origin, headers) as client:
            told = (await client.post("/v1/meetings", json=body)).json()
            listed = (await client.get(f"/v1/meetings/{told['id']}/away")).json()["items"]
            await client.post(f"/v1/meetings/{told['id']}/cancel", json={})
            assert (await client.get(f"/v1/meetings/{told['id']}/away")).json()["items"] == []
        assert told["away"] == listed
        assert "operation" not in str(told)
        return [each["member"] for each in told["away"]]

    everybody = sorted([led.ben, led.ivo])
    assert await away(writer("absences:read", department="hr")) == everybody
    assert await away(writer("absences:write", member=led.ivo)) == everybody
    # Who leads the team that meets sees of it, and nothing of a guest from elsewhere; others see their own days.
    assert await away(writer(member=led.ada)) == [led.ben]
    assert await away(writer("absences:read", member=led.ben)) == [led.ben]
    assert await away(writer(department="it")) == []
    # On the day they are back nobody is away but who has not said when.
    assert await away(writer("absences:read", department="hr"), "2026-03-24T08:00:00Z") == [led.ivo]
    weekly = await series_of(led)
    moving = {"from": "2026-03-23", "to": "2026-03-24", "series": weekly, "minutes": 60}
    (row,) = (await at_once(led, "reschedule", **moving, dry_run=True))["items"]
    assert row["away"] == [{"member": led.ben, "starts_at": row["starts_at"]}]
    planned = (await led.weekly(starts_at="2999-01-07T09:00:00Z", zone="UTC", guests=[led.ivo])).json()
    assert {each["member"] for each in planned["away"]} == {led.ivo}
    assert len(planned["away"]) == 8


async def test_only_who_may_read_meetings_asks_for_double_bookings(standing: Office) -> None:
    made = await standing.world.made("/v1/meetings", {"name": "Fair", "starts_at": "2026-06-01T08:00:00Z"})
    path = f"/v1/meetings/{made['id']}/double-bookings"
    async with client_of(standing.world.origin, token_headers(standing.world.settings, "items:read")) as client:
        problem(await client.get(path), 403, "", "meetings:read")
    headers = token_headers(standing.world.settings, *member_scopes("sales"), member=standing.ada)
    async with client_of(standing.world.origin, headers) as client:
        assert (await client.get(path)).json() == {"items": [], "next": None}
        problem(await client.get("/v1/meetings/mtg_none/double-bookings"), 404, "", "mtg_none")
