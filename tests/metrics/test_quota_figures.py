"""What the sales view says of targets: of groups, of members with quotas, and of quotas that run or have not begun."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.targets.bodies import eur
from tests.world import World

TODAY = date.today()  # noqa: DTZ011


class Sellers:
    """A team of two, one of them in a group, and what they win."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tokens: list[str] = []
        self.ids: dict[str, str] = {}

    async def post(self, path: str, body: Any) -> Any:
        answer = await self.world.post(f"/v1/{path}", body)
        assert answer.status_code in (200, 201), answer.text
        self.tokens.append(answer.headers["concert-version"])
        return answer.json()

    async def settle(self) -> Sellers:
        north = (await self.post("teams", {"name": "North"}))["id"]
        inner = (await self.post("groups", {"name": "Inner circle", "team": north}))["id"]
        self.ids |= {"north": north, "inner": inner}
        for name in ("ada", "ben"):
            hired = await self.post("members", {"name": name, "department": "sales", "starts_on": "2024-01-01"})
            self.ids[name] = hired["id"]
            await self.post(f"members/{hired['id']}/join", {"team": north, "from": "2024-01-01"})
        await self.post(f"members/{self.ids['ada']}/join", {"group": inner, "from": "2024-01-01"})
        query = {"after": self.tokens[-1], "limit": "1"}
        await self.world.admin.get("/v1/deals", params=query, headers={"Prefer": "wait=20"})
        return self

    async def win(self, who: str, value: str, on: str) -> None:
        deal = await self.post("deals", {"owner": self.ids[who], "opened_on": "2024-02-01"})
        await self.post(f"deals/{deal['id']}/win", {"on": on, "value": eur(value)})

    async def aim(self, level: str, who: str, value: str, period: Any) -> dict[str, Any]:
        body = {"metric": "revenue", "scope": {"level": level, "ref": self.ids[who]}, "period": period,
                "value": eur(value)}  # fmt: skip
        made: dict[str, Any] = await self.post("targets", body)
        return made

    async def sales(self, path: str = "", **query: str) -> Any:
        asked = {"after": self.tokens, **query}
        answer = await self.world.admin.get(f"/v1/views/sales{path}", params=asked, headers={"Prefer": "wait=20"})
        assert answer.status_code == 200, answer.text
        return answer.json()


def said(view: Any) -> dict[str, str]:
    """By figure what is said of it."""
    return {note["figure"]: note["why"] for note in view["notes"]}


async def test_the_quota_attainment_rate_is_members_at_or_above_quota_by_members_with_a_quota(world: World) -> None:
    house = await Sellers(world).settle()
    targets = [
        await house.aim("member", "ada", "100.00", "2025-Q1"),
        await house.aim("member", "ben", "100.00", "2025"),
    ]
    await house.win("ada", "100.00", "2025-03-31")
    await house.win("ben", "99.99", "2025-12-31")
    view = await house.sales(period="2025")
    assert view["figures"]["quota_attainment_rate"] == {"rate": "0.500000", "numerator": 1, "denominator": 2}
    rows = await house.sales("/rows", period="2025", figure="quota_attainment_rate")
    assert {row["ref"] for row in rows["items"]} == {target["id"] for target in targets}
    await house.win("ben", "0.01", "2025-01-01")
    view = await house.sales(period="2025")
    assert view["figures"]["quota_attainment_rate"] == {"rate": "1.000000", "numerator": 2, "denominator": 2}


async def test_trap_5_what_was_won_in_another_currency_reaches_a_quota_at_the_rate_of_its_day(world: World) -> None:
    house = await Sellers(world).settle()
    await house.aim("member", "ada", "100.00", "2025-Q1")
    await house.aim("team", "north", "400.00", "2025-Q1")
    deal = await house.post("deals", {"owner": house.ids["ada"], "opened_on": "2025-01-01"})
    value = {"amount": "50.00", "currency": "USD"}
    await house.post(f"deals/{deal['id']}/win", {"on": "2025-03-01", "value": value})
    left = {"owner": house.ids["ben"], "opened_on": "2025-03-02", "value": {"amount": "100.00", "currency": "USD"}}
    await house.post("deals", left)
    asked = {"period": "2025-Q1", "team": house.ids["north"]}
    found = await house.sales(period="2025-Q1")
    assert found["figures"]["quota_attainment_rate"]["numerator"] == 0
    assert "USD is not counted" in said(found)["quota_attainment_rate"]
    found = await house.sales(**asked)
    assert "pipeline in USD is not counted" in said(found)["coverage"]
    await house.post("rates", {"from": "USD", "to": "EUR", "on": "2025-01-01", "rate": "2"})
    rate = (await house.sales(period="2025-Q1"))["figures"]["quota_attainment_rate"]
    assert rate == {"rate": "1.000000", "numerator": 1, "denominator": 1}
    found = await house.sales(**asked)
    assert found["figures"]["quota_window_attainment"]["rate"] == "1.000000"
    # 400 less 100 are left to be won, and 200 are open.
    assert found["figures"]["coverage"]["rate"] == "0.666667"
    assert "coverage" not in said(found)


async def test_sales_outside_the_days_of_a_quota_do_not_reach_it(world: World) -> None:
    house = await Sellers(world).settle()
    await house.aim("member", "ada", "100.00", {"from": "2025-02-15", "to": "2025-05-15"})
    await house.win("ada", "500.00", "2025-02-14")
    await house.win("ada", "500.00", "2025-05-15")
    rate = (await house.sales(period="2025"))["figures"]["quota_attainment_rate"]
    assert rate == {"rate": "0.000000", "numerator": 0, "denominator": 1}


async def test_trap_18_quotas_of_days_to_come_are_not_held_against_sales_that_cannot_be_there_yet(world: World) -> None:
    house = await Sellers(world).settle()
    start = TODAY - timedelta(days=9)
    await house.aim("member", "ada", "100.00", {"from": str(start), "to": str(TODAY + timedelta(days=91))})
    await house.aim("member", "ben", "100.00", {"from": str(TODAY + timedelta(days=30)),
                                                "to": str(TODAY + timedelta(days=60))})  # fmt: skip
    await house.win("ada", "10.00", str(TODAY))
    window = {"from": str(start), "to": str(TODAY + timedelta(days=91))}
    view = await house.sales(**window)
    # Of 100 over 100 days 10 are due by today, and they are there; Ben's days have not begun: he has nothing to reach.
    assert view["figures"]["quota_attainment_rate"] == {"rate": "1.000000", "numerator": 1, "denominator": 1}
    assert view["figures"]["pace"]["rate"] == "1.000000"


async def test_a_group_has_targets_and_reaches_them_by_what_its_members_are_credited(world: World) -> None:
    house = await Sellers(world).settle()
    await house.aim("group", "inner", "100.00", "2025-Q1")
    await house.win("ada", "150.00", "2025-02-01")
    await house.win("ben", "70.00", "2025-02-01")
    found = (await house.sales(period="2025-Q1", group=house.ids["inner"]))["figures"]
    assert found["target"] == eur("100.00")
    assert (found["attainment"]["rate"], found["variance"]) == ("1.500000", eur("50.00"))


async def test_quotas_of_a_team_and_a_group_count_on_the_days_on_which_their_members_do(world: World) -> None:
    house = await Sellers(world).settle()
    south = (await house.post("teams", {"name": "South"}))["id"]
    north, inner = house.ids["north"], house.ids["inner"]
    moved = {"from_team": north, "to_team": south, "on": "2025-03-01"}
    await house.post(f"members/{house.ids['ada']}/move", moved)
    # Ten a day, of which fourteen are in either team; she leaves the group with her team.
    mine = await house.aim("member", "ada", "280.00", {"from": "2025-02-15", "to": "2025-03-15"})
    other = await house.aim("member", "ben", "100.00", {"from": "2025-02-01", "to": "2025-03-01"})
    await house.win("ada", "70.00", "2025-02-20")
    await house.win("ada", "35.00", "2025-03-05")
    await house.win("ben", "50.00", "2025-02-10")
    for period, query, window, calendar in (
        ("2025-Q1", {"team": north}, "120.00/240.00", "120.00/240.00"),
        ("2025-Q1", {"team": south}, "35.00/140.00", "35.00/140.00"),
        ("2025-Q1", {"group": inner}, "70.00/140.00", "70.00/140.00"),
        ("2025-02", {"team": north}, "50.00/100.00", "120.00/240.00"),
        ("2025-03", {"team": north}, "70.00/140.00", None),
        ("2025-03", {"team": south}, "35.00/140.00", "35.00/140.00"),
        ("2025-02", {"team": south}, None, None),
        ("2025-Q1", {}, "155.00/380.00", "155.00/380.00"),
        ("2025-Q1", {"department": "sales"}, "155.00/380.00", "155.00/380.00"),
        ("2025-Q1", {"department": "it"}, None, None),
    ):
        figures = (await house.sales(period=period, **query))["figures"]
        shown = [figures[key] and f"{figures[key]['numerator']['amount']}/{figures[key]['denominator']['amount']}"
                 for key in ("quota_window_attainment", "quota_calendar_attainment")]  # fmt: skip
        assert shown == [window, calendar], (period, query)
    for query, targets in (({"team": north}, {mine["id"], other["id"]}), ({"team": south}, {mine["id"]})):
        rows = await house.sales("/rows", period="2025-Q1", figure="quota_window_attainment", **query)
        assert {row["ref"] for row in rows["items"]} == targets
    both = await house.sales(period="2025-Q1", team=north, group=inner)
    assert both["figures"]["quota_window_attainment"] is None


async def test_a_rate_of_nobody_is_not_known_and_says_why(world: World) -> None:
    house = await Sellers(world).settle()
    view = await house.sales(period="2025")
    assert view["figures"]["quota_attainment_rate"] is None
    assert "no member has a quota" in said(view)["quota_attainment_rate"]
