"""Whose customers are: who was won, kept, lost and won back, and by whom, on days that do not move."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metrics.written import Written
from tests.targets.bodies import eur
from tests.targets.conftest import settle_in
from tests.world import World

COUNTS = ("start", "new", "reactivated", "lost", "end", "retained")
NOBODY = [0, 0, 0, 0, 0, 0]


class Market(Written):
    """A house with a second team in another region, and the customers it won."""

    view = "sales"

    async def win(self, customer: str, on: str, name: str = "", *products: str, **deal: str) -> str:
        """A deal of Ada's, if it does not say whose, that is won: in lines of these products, if any."""
        opened = {"owner": self.house.ada, "opened_on": "2026-01-02", "customer": self.ids[customer], **deal}
        made = await self.write("deals", opened, name)
        lines = [{"product": product, "quantity": "1", "unit_price": eur("10.00")} for product in products]
        what = {"lines": lines} if products else {"value": eur("10.00")}
        return await self.write(f"deals/{made}/win", {"on": on, **what})

    async def counts(self, period: str, **query: str) -> list[int]:
        """The customers of a period."""
        return counted((await self.seen(period=period, **query))["figures"])

    async def behind(self, which: str, period: str, **query: str) -> set[str]:
        """The customers that a count is made of."""
        return await self.rows(f"customers_{which}", period, **query)


def counted(figures: dict[str, Any]) -> list[int]:
    """The counts of customers, in their order."""
    return [figures[f"customers_{which}"] for which in COUNTS]


@pytest.fixture
async def market(world: World) -> Market:
    """Four customers: acme is lost and won back by another team with another product, bolt is won by Ben with two
    products and buys from the other team as well, cord is won by Ben and lost, and what dune agreed on is amended
    after it was lost. Ben leaves his group and his team meanwhile."""
    house = await settle_in(world)
    market = Market(house)
    await market.write("teams", {"name": "South", "region": "EU"}, "south")
    await market.write("groups", {"name": "Inner", "team": house.north}, "inner")
    await market.write(f"members/{house.ben}/join", {"group": market.inner, "from": "2026-01-01"})
    await market.write("products", {"name": "Gizmo"}, "gizmo")
    for name in ("acme", "bolt", "cord", "dune"):
        await market.write("customers", {"name": name}, name)
    await market.win("dune", "2026-01-05", "amended", house.gadget)
    await market.win("acme", "2026-01-10", "", house.gadget)
    await market.win("bolt", "2026-01-15", "", house.gadget, market.gizmo, owner=house.ben)
    await market.win("cord", "2026-02-03", owner=house.ben)
    for name, on in (("acme", "2026-02-05"), ("dune", "2026-02-05"), ("cord", "2026-03-01")):
        await market.write(f"customers/{market.ids[name]}/lose", {"on": on})
    await market.win("bolt", "2026-02-10", team=market.south)
    await market.win("acme", "2026-02-20", "", market.gizmo, team=market.south)
    agreed = {"on": "2026-02-12", "value": eur("9.00"), "reason": "Cheaper after all"}
    await market.write(f"deals/{market.amended}/amend", agreed)
    move = {"from_team": house.north, "to_team": market.south, "on": "2026-02-15"}
    await market.write(f"members/{house.ben}/move", move)
    return market


async def test_a_customer_is_of_those_for_whom_they_were_won_or_won_back_and_that_does_not_move(
    market: Market,
) -> None:
    house = market.house
    north, south, inner = {"team": house.north}, {"team": market.south}, {"group": market.inner}
    ada, ben = {"member": house.ada}, {"member": house.ben}
    gadget, gizmo = {"product": house.gadget}, {"product": market.gizmo}
    months: dict[str, list[tuple[dict[str, str], list[int]]]] = {
        # start, new, reactivated, lost, end, retained
        "2026-01": [
            ({}, [0, 3, 0, 0, 3, 0]), (north, [0, 3, 0, 0, 3, 0]), (south, NOBODY), (inner, [0, 1, 0, 0, 1, 0]),
            (ada, [0, 2, 0, 0, 2, 0]), (ben, [0, 1, 0, 0, 1, 0]), (gadget, [0, 3, 0, 0, 3, 0]),
            (gizmo, [0, 1, 0, 0, 1, 0]), (north | gizmo, [0, 1, 0, 0, 1, 0]), (ada | gizmo, NOBODY),
        ],
        "2026-02": [
            ({}, [3, 1, 1, 2, 3, 2]), (north, [3, 1, 0, 2, 2, 2]), (south, [0, 0, 1, 0, 1, 0]),
            (inner, [1, 1, 0, 0, 2, 1]), (ada, [2, 0, 1, 2, 1, 1]), (ben, [1, 1, 0, 0, 2, 1]),
            (gadget, [3, 0, 0, 2, 1, 2]), (gizmo, [1, 0, 1, 0, 2, 1]), ({"region": "EU"}, [0, 0, 1, 0, 1, 0]),
            ({"department": "sales"}, [3, 1, 1, 2, 3, 2]), (south | {"customer": market.acme}, [0, 0, 1, 0, 1, 0]),
            (north | {"customer": market.acme}, [1, 0, 0, 1, 0, 1]),
        ],
        "2026-03": [
            ({}, [3, 0, 0, 1, 2, 2]), (north, [2, 0, 0, 1, 1, 1]), (south, [1, 0, 0, 0, 1, 1]),
            (inner, [2, 0, 0, 1, 1, 1]), (ada, [1, 0, 0, 0, 1, 1]), (ben, [2, 0, 0, 1, 1, 1]),
            (gadget, [1, 0, 0, 0, 1, 1]), (gizmo, [2, 0, 0, 0, 2, 2]),
        ],
    }  # fmt: skip
    for month, cases in months.items():
        for query, expected in cases:
            if "region" in query:
                rows = (await market.seen(period=month, breakdown="region"))["breakdown"]["rows"]
                assert {row["ref"]: counted(row["figures"]) for row in rows}["EU"] == expected
                continue
            assert await market.counts(month, **query) == expected, (month, query)


async def test_rows_of_teams_and_members_sum_to_the_whole_and_shares_are_of_those_of_the_start(market: Market) -> None:
    for month in ("2026-01", "2026-02", "2026-03", "2026-Q1", "2026"):
        for by in ("team", "member", "customer"):
            view = await market.seen(period=month, breakdown=by)
            rows = [counted(row["figures"]) for row in view["breakdown"]["rows"]]
            assert [sum(column) for column in zip(*rows, strict=True)] == counted(view["figures"]), (month, by)
    figures = (await market.seen(period="2026-02", team=market.house.north))["figures"]
    assert (figures["retention"]["numerator"], figures["retention"]["denominator"]) == (2, 3)
    assert (figures["churn"]["numerator"], figures["churn"]["denominator"]) == (1, 3)


async def test_the_customers_behind_a_count_of_a_team_are_its_own(market: Market) -> None:
    acme, bolt, cord, dune = (market.ids[name] for name in ("acme", "bolt", "cord", "dune"))
    north, south = {"team": market.house.north}, {"team": market.south}
    for which, query, found in (
        ("start", north, {acme, bolt, dune}), ("new", north, {cord}), ("lost", north, {acme, dune}),
        ("end", north, {bolt, cord}), ("retained", north, {acme, bolt}), ("reactivated", south, {acme}),
        ("reactivated", north, set()), ("end", {"member": market.house.ben}, {bolt, cord}),
    ):  # fmt: skip
        assert await market.behind(which, "2026-02", **query) == found, (which, query)


async def test_what_is_amended_after_a_customer_was_lost_does_not_win_them_back(market: Market) -> None:
    assert await market.counts("2026-02", customer=market.dune) == [1, 0, 0, 1, 0, 0]
    certificate = (await market.house.world.admin.get("/v1/consistency", params={"fresh": "true"})).json()
    assert [each for each in certificate["invariants"] if not each["holds"]] == []
