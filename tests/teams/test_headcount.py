"""What the view of hr counts equals what is counted by hand, after people left, came back and moved."""

from __future__ import annotations

from typing import Any

from services.metrics.facts.teams import MemberFact
from services.teams.domain.members import Member
from shared.known import KnownMember
from shared.store import Snapshot
from tests.teams.conftest import Staff

SAME = ("starts_on", "left_on", "employments", "departments", "memberships", "groups")


async def people(staff: Staff) -> tuple[dict[str, str], str]:
    """Four people with careers of every kind, and the version that the last of it made.

    ada: sales, North from January, away in April and May, back in hr from June on.
    ben: sales, North in February and March only, stays in sales.
    cy: hr from February, sales from May on, leaves in July.
    di: sales from March, North, moves to South in May; back the very day of leaving, in August.
    """
    ids = {
        "ada": await staff.recruited(starts_on="2026-01-10"),
        "ben": await staff.recruited(starts_on="2026-01-20"),
        "cy": await staff.recruited(starts_on="2026-02-01", department="hr"),
        "di": await staff.recruited(starts_on="2026-03-01"),
    }
    await staff.does(ids["ada"], "join", group=staff.group, since="2026-01-10")
    await staff.does(ids["ada"], "leave", on="2026-04-01")
    await staff.does(ids["ada"], "recruit", starts_on="2026-06-01", department="hr")
    await staff.does(ids["ben"], "join", team=staff.north, since="2026-02-01", to="2026-04-01")
    await staff.patch(f"members/{ids['cy']}", {"department": "sales", "on": "2026-05-01"})
    await staff.does(ids["cy"], "leave", on="2026-07-01")
    await staff.does(ids["di"], "join", team=staff.north, since="2026-03-01")
    await staff.does(ids["di"], "move", from_team=staff.north, to_team=staff.south, on="2026-05-01")
    await staff.does(ids["di"], "leave", on="2026-08-01")
    await staff.does(ids["di"], "recruit", starts_on="2026-08-01")
    last = await staff.patch(f"members/{ids['di']}", {"department": "it", "on": "2026-09-01"})
    return ids, last.headers["concert-version"]


async def figures(staff: Staff, after: str, **query: Any) -> tuple[Any, ...]:
    """Headcount, joiners and leavers."""
    answer = await staff.world.admin.get(
        "/v1/views/hr", params={**query, "after": after}, headers={"Prefer": "wait=20"}
    )
    assert answer.status_code == 200, answer.text
    shown = answer.json()["figures"]
    return shown["headcount"], shown["joiners"], shown["leavers"]


async def test_headcount_joiners_and_leavers_are_those_counted_by_hand(each_staff: Staff) -> None:
    _, after = await people(each_staff)

    async def by_month(*months: str, **query: Any) -> list[tuple[Any, ...]]:
        return [await figures(each_staff, after, period=f"2026-{month}", **query) for month in months]

    every = ("01", "02", "03", "04", "05", "06", "07", "08", "09")
    assert await by_month(*every) == [
        (2, 2, 0), (3, 1, 0), (4, 1, 0), (3, 0, 1), (3, 0, 0), (4, 1, 0), (3, 0, 1), (3, 1, 1), (3, 0, 0),
    ]  # fmt: skip
    assert await by_month(*every, department="sales") == [
        (2, 2, 0), (2, 0, 0), (3, 1, 0), (2, 0, 1), (3, 1, 0), (3, 0, 0), (2, 0, 1), (2, 1, 1), (1, 0, 1),
    ]  # fmt: skip
    assert await by_month(*every, team=each_staff.north) == [
        (1, 1, 0), (2, 1, 0), (3, 1, 0), (1, 0, 2), (0, 0, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0),
    ]  # fmt: skip
    assert await figures(each_staff, after, period="2026") == (3, 6, 3)
    assert await figures(each_staff, after, **{"from": "2026-03-31", "to": "2026-04-01"}) == (4, 0, 0)
    assert await figures(each_staff, after, **{"from": "2026-04-01", "to": "2026-04-02"}) == (3, 0, 1)


async def test_what_the_other_services_know_of_members_is_what_teams_keeps(each_staff: Staff) -> None:
    ids, after = await people(each_staff)
    for path, query, service, model in (
        ("views/hr", {"period": "2026"}, "metrics", MemberFact),
        ("deals", {}, "targets", KnownMember),
        ("requests", {}, "meetings", KnownMember),
    ):
        params = {**query, "after": after}
        waited = await each_staff.world.admin.get(f"/v1/{path}", params=params, headers={"Prefer": "wait=20"})
        assert waited.status_code == 200, waited.text
        for member in ids.values():
            ours = await kept(each_staff, "teams", Member, member)
            assert await kept(each_staff, service, model, member) == ours, service


async def kept(staff: Staff, service: str, model: Any, member: str) -> dict[str, Any]:
    """The days of a member as a service keeps them."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        found = await snapshot.get(model, member)
        return {name: getattr(found, name) for name in SAME}

    days = await staff.world.services[service].runtime.store.read(query)
    # Why somebody left, teams alone keeps.
    days["employments"] = [{"from": each["from"], "to": each["to"]} for each in days["employments"]]
    return days
