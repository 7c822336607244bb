"""Splitting a team over HTTP: who may, what a dry run shows, what is carried out, and that the past stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.metrics.stream import relayed
from tests.teams.conftest import Staff, problem
from tests.world import client_of, token_headers

DAY = "2026-04-01"


def eur(amount: int) -> dict[str, str]:
    return {"amount": f"{amount}.00", "currency": "EUR"}


async def a_team(staff: Staff, size: int = 4) -> tuple[str, list[str]]:
    """A team with members who have joined one after the other."""
    team = (await staff.made("teams", {"name": "West"}))["id"]
    members = [await staff.recruited() for _ in range(size)]
    for place, member in enumerate(members):
        await staff.does(member, "join", team=team, since=f"2026-01-{place + 2:02d}")
    return team, members


async def that_sells(staff: Staff, team: str, members: list[str]) -> Any:
    """What the members won in the first quarter, have open in the second, and aim at in both."""
    for place, member in enumerate(members):
        region = ("north", "south")[place % 2]
        customer = (await staff.made("customers", {"name": f"Customer {place}", "region": region}))["id"]
        for quarter in ("2026-Q1", "2026-Q2"):
            aim = {"metric": "revenue", "scope": {"level": "member", "ref": member}, "period": quarter}
            await staff.made("targets", aim | {"value": eur(1000 * (place + 1))})
        deal = {"owner": member, "customer": customer, "opened_on": "2026-01-10", "value": eur(100 * (place + 1))}
        won = (await staff.made("deals", deal))["id"]
        await staff.made(f"deals/{won}/win", {"on": "2026-02-01", "value": eur(500 * (place + 1))})
        last = await staff.post("deals", deal | {"opened_on": "2026-03-01"})
    return last


async def seen(staff: Staff, period: str, **query: str) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = (await staff.get("views/sales", period=period, **query))["figures"]
    return figures


async def test_the_past_stays_and_a_groups_figures_begin_on_the_day(each_staff: Staff) -> None:
    staff = each_staff
    team, members = await a_team(staff)
    await that_sells(staff, team, members)
    duty = {"title": "Call", "assigned_to": {"member": members[0]}, "on": "2026-02-01"}
    mine = (await staff.made("duties", duty))["id"]
    # The views show targets and members too, which come by other ways than the deals.
    await relayed(staff.world)
    before = {by: await staff.get("views/sales", period="2026-Q1", breakdown=by) for by in ("member", "team", "month")}
    asked = {"into": 2, "on": DAY, "dry_run": True}
    dry = await staff.made(f"teams/{team}/split", asked)
    assert sorted(each for group in dry["groups"] for each in group["members"]) == sorted(members)
    assert [each["group"] for each in dry["groups"]] == [None, None]
    assert await staff.ids("groups", team=team) == set()
    done = await staff.post(f"teams/{team}/split", asked | {"dry_run": False})
    assert done.status_code == 200, done.text
    split = done.json()
    assert [each["members"] for each in split["groups"]] == [each["members"] for each in dry["groups"]]
    won = await staff.made("deals", {"owner": members[0], "opened_on": "2026-04-02"})
    later = await staff.post(f"deals/{won['id']}/win", {"on": "2026-04-10", "value": eur(70)})
    await staff.world.settled("/v1/views/sales", later, period="2026-Q2")
    await staff.world.settled("/v1/views/sales", done, period="2026-Q2")
    for by, view in before.items():
        now = await staff.get("views/sales", period="2026-Q1", breakdown=by)
        assert (now["figures"], now["breakdown"]) == (view["figures"], view["breakdown"]), by
    for group in split["groups"]:
        of = {"group": group["group"]}
        past, present = await seen(staff, "2026-Q1", **of), await seen(staff, "2026-Q2", **of)
        assert (past["revenue"]["amount"], past["deals_won"], past["target"]) == ("0.00", 0, None)
        assert [present["target"]] == group["targets"]
        assert [present["pipeline"]] == group["pipeline"]
        assert present["revenue"]["amount"] == ("70.00" if members[0] in group["members"] else "0.00")
        assert (await staff.get(f"groups/{group['group']}/members", on="2026-03-31"))["items"] == []
    assert (await staff.get(f"duties/{mine}"))["assigned_to"] == {"member": members[0], "group": None}


async def test_a_group_aims_at_what_its_members_aim_at_while_they_belong_to_it(staff: Staff) -> None:
    team, members = await a_team(staff, 2)
    last = await that_sells(staff, team, members)
    group = (await staff.made("groups", {"name": "Half", "team": team}))["id"]
    await staff.does(members[0], "join", group=group, since="2026-04-01", to="2026-05-16")
    joined = await staff.does(members[1], "join", group=group, since="2026-05-16")
    assert joined["groups"]
    await staff.world.settled("/v1/views/sales", last, period="2026-Q2")
    # The last event of teams is waited for by its version.
    token = f"member/{members[1]}@{joined['version']}"
    await staff.get("views/sales", period="2026-Q2", after=token)
    figures = await seen(staff, "2026-Q2", group=group)
    # 45 of 91 days of 1,000 and 46 of 91 of 2,000.
    assert figures["target"] == {"amount": "1505.49", "currency": "EUR"}
    assert (await seen(staff, "2026-04", group=group))["target"] == {"amount": "329.67", "currency": "EUR"}


async def test_a_split_by_hand_names_every_member_once(staff: Staff) -> None:
    team, members = await a_team(staff)
    path, stranger = f"teams/{team}/split", await staff.recruited()

    def by_hand(*lists: list[str]) -> dict[str, Any]:
        groups = [{"name": f"Group {place}", "members": each} for place, each in enumerate(lists)]
        return {"by": "hand", "on": DAY, "groups": groups}

    missing = problem(await staff.post(path, by_hand(members[:2], members[1:3])), 422, "/groups")
    assert f"in none: {members[3]}; in several: {members[1]}" in missing
    foreign = by_hand(members[:2], [*members[2:], stranger])
    assert stranger in problem(await staff.post(path, foreign), 422, "/groups/1/members/2")
    unknown = {"by": "hand", "on": DAY, "groups": [{"group": staff.group, "members": members}]}
    problem(await staff.post(path, unknown), 422, "/groups/0/group")
    alike = by_hand(members[:2], members[2:])
    alike["groups"][1]["name"] = "Group 0"
    problem(await staff.post(path, alike), 422, "/groups/1/name")
    before = await staff.events()
    made = await staff.made(path, by_hand(members[:1], members[1:]))
    assert [each["members"] for each in made["groups"]] == [sorted(members[:1]), sorted(members[1:])]
    # Two groups, and four members who join.
    assert await staff.events() - before == 6
    one, other = (each["group"] for each in made["groups"])
    again = {"by": "hand", "on": DAY, "groups": [{"group": one, "members": members[:2]},
                                                 {"group": other, "members": members[2:]}]}  # fmt: skip
    moved = await staff.made(path, again)
    assert [each["stay"] for each in moved["groups"]] == [1, 2]
    # Only who goes to the other group leaves one and joins one.
    assert await staff.events() - before == 8
    assert await staff.ids(f"groups/{one}/members", on=DAY) == set(members[:2])
    assert (await staff.get(f"groups/{one}"))["name"] == "Group 0"


async def test_a_split_by_region_follows_the_customers_of_each(staff: Staff) -> None:
    team, members = await a_team(staff)
    last = await that_sells(staff, team, members)
    assert last.status_code == 201
    by_region = await staff.made(f"teams/{team}/split", {"by": "region", "on": DAY, "dry_run": True})
    named = {each["name"]: each["members"] for each in by_region["groups"]}
    assert named == {"north": sorted(members[::2]), "south": sorted(members[1::2])}
    rest = [{"name": "The north", "values": ["north"]}, {"name": "The rest"}]
    split = {"by": "region", "on": DAY, "dry_run": True, "groups": rest}
    assert [each["members"] for each in (await staff.made(f"teams/{team}/split", split))["groups"]] == [
        sorted(members[::2]), sorted(members[1::2]),
    ]  # fmt: skip
    by_product = {"by": "product", "on": DAY, "dry_run": True}
    problem(await staff.post(f"teams/{team}/split", by_product), 422, "/groups")
    assert by_region["groups"][0]["targets"] == [eur(1000 + 3000)]
    assert by_region["groups"][0]["deals_open"] == 2


async def test_a_dry_run_shows_the_imbalance_beside_that_of_chance(staff: Staff) -> None:
    team, members = await a_team(staff, 6)
    await that_sells(staff, team, members)
    asked = {"into": 3, "on": DAY, "dry_run": True, "seed": 7}
    first, second = [await staff.made(f"teams/{team}/split", asked) for _ in range(2)]
    assert first == second
    found = first["imbalance"]
    assert float(found["largest"]) < float(found["random"])
    assert found["largest"] == max(found["by_measure"].values(), key=float)
    assert (found["draws"], found["seed"]) == (100, 7)
    assert sum(float(each["ramp"]) for each in first["groups"]) == 6


async def test_only_who_leads_the_team_or_organises_all_splits_it(staff: Staff) -> None:
    team, members = await a_team(staff)
    leader = await staff.recruited()
    await staff.patch(f"teams/{team}", {"leader": leader})
    scopes = ("groups:write", "deals:read", "targets:read")

    async def asks(body: dict[str, Any], *scopes: str, **who: str) -> Any:
        headers = token_headers(staff.world.settings, *scopes, **who)
        async with client_of(staff.world.origin, headers) as client:
            return await client.post(f"/v1/teams/{team}/split", json={"on": DAY, "dry_run": True} | body)

    assert (await asks({}, *scopes, member=members[0])).status_code == 403
    led = await asks({}, *scopes, member=leader)
    assert led.status_code == 200, led.text
    assert led.json()["groups"][0]["skills"] == {}
    tool = (await asks({}, *scopes)).json()
    assert tool["groups"][0]["skills"] is None
    # Who may not see deals and targets gets no proposal made of them, and splits by hand without seeing them.
    assert (await asks({}, "groups:write")).status_code == 403
    by_hand = {"by": "hand", "groups": [{"name": "All", "members": members}]}
    shown = (await asks(by_hand, "groups:write")).json()["groups"][0]
    assert (shown["targets"], shown["pipeline"], shown["deals_open"]) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"into": 1}, "/into"),
        ({"into": 5}, "/into"),
        ({"into": 2, "groups": [{"name": "A"}, {"name": "B"}, {"name": "C"}]}, "/into"),
        ({"period": "2026-Q1"}, "/period"),
        ({"by": "region", "groups": [{"name": "A"}, {"name": "B"}]}, "/groups/1/values"),
        ({"by": "region", "groups": [{"values": ["x"]}, {"values": ["x"]}]}, "/groups/1/values/0"),
    ],
)
async def test_a_split_that_cannot_be_is_refused(staff: Staff, body: dict[str, Any], place: str) -> None:
    team, _ = await a_team(staff)
    problem(await staff.post(f"teams/{team}/split", {"on": DAY} | body), 422, place)


async def test_nobody_there_is_nobody_to_split(staff: Staff) -> None:
    team, _ = await a_team(staff)
    assert "2025-12-31" in problem(await staff.post(f"teams/{team}/split", {"on": "2025-12-31"}), 422, "/on")
