"""The pipeline in the sales view: by stage, for everybody, with dated chances, and never a lost deal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.targets.bodies import eur
from tests.world import World, world


class Shop:
    """A running Concert with two teams in a region, a group, a customer and a product."""

    def __init__(self, running: World) -> None:
        self.world = running
        self.refs: dict[str, str] = {}
        self.tokens: list[str] = []

    async def made(self, path: str, body: Any) -> dict[str, Any]:
        """A write that must succeed, which every later question waits for."""
        answer = await self.world.post(f"/v1/{path}", body)
        assert answer.status_code in (200, 201), answer.text
        self.tokens = [*self.tokens[-40:], answer.headers["concert-version"]]
        found: dict[str, Any] = answer.json()
        return found

    async def settle_in(self) -> None:
        """Who sells what to whom."""
        for team, region in (("north", "EU"), ("south", "EU"), ("west", "US")):
            self.refs[team] = (await self.made("teams", {"name": team, "region": region, "department": "sales"}))["id"]
        self.refs["inner"] = (await self.made("groups", {"name": "Inner", "team": self.refs["north"]}))["id"]
        for name, team in (("ada", "north"), ("ben", "south"), ("cem", "west")):
            body = {"name": name, "department": "sales", "starts_on": "2024-01-01"}
            self.refs[name] = (await self.made("members", body))["id"]
            await self.made(f"members/{self.refs[name]}/join", {"team": self.refs[team], "from": "2024-01-01"})
        joined = {"group": self.refs["inner"], "from": "2025-02-01"}
        await self.made(f"members/{self.refs['ada']}/join", joined)
        # A deal has the team that its owner is known to be in.
        query: dict[str, Any] = {"after": self.tokens}
        heard = await self.world.admin.get("/v1/deals", params=query, headers={"Prefer": "wait=20"})
        assert heard.status_code == 200, heard.text
        self.refs["acme"] = (await self.made("customers", {"name": "Acme"}))["id"]
        self.refs["gadget"] = (await self.made("products", {"name": "Gadget"}))["id"]

    async def deal(self, owner: str, value: str | None, opened: str = "2025-03-01", **fields: Any) -> dict[str, Any]:
        """An open deal."""
        body = {"owner": self.refs[owner], "opened_on": opened} | fields
        return await self.made("deals", body | ({"value": eur(value)} if value else {}))

    async def sales(self, period: str = "2025-Q1", **query: str) -> dict[str, Any]:
        """The sales view."""
        answer = await self.world.admin.get(
            "/v1/views/sales", params={"period": period, "after": self.tokens, **query}, headers={"Prefer": "wait=20"}
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def figure(self, key: str, period: str = "2025-Q1", **query: str) -> Any:
        """One figure of it."""
        return (await self.sales(period, **query))["figures"][key]


@pytest.fixture
async def shop(world: World) -> Shop:
    """A shop on each kind of engines."""
    shop = Shop(world)
    await shop.settle_in()
    return shop


@pytest.fixture
async def near_shop(tmp_path: Any) -> AsyncIterator[Shop]:
    """A shop on embedded engines."""
    async with world(tmp_path) as running:
        shop = Shop(running)
        await shop.settle_in()
        yield shop


async def test_the_weighted_pipeline_is_known_for_everybody_it_is_asked_of(shop: Shop) -> None:
    refs = shop.refs
    await shop.deal("ada", "1000.00", customer=refs["acme"], product=refs["gadget"])
    await shop.deal("ada", "400.00", stage="engaging")
    moved = await shop.deal("ben", "200.00", customer=refs["acme"])
    await shop.made(f"deals/{moved['id']}/move", {"stage": "engaging", "on": "2025-03-10"})
    await shop.deal("cem", "80.00", stage="engaging", product=refs["gadget"])
    asked = {"": ("1680.00", "270.00"), "team=north": ("1400.00", "200.00"), "team=south": ("200.00", "50.00"),
             "member=ada": ("1400.00", "200.00"), "group=inner": ("1400.00", "200.00"),
             "customer=acme": ("1200.00", "150.00"), "product=gadget": ("1080.00", "120.00"),
             "customer=acme&team=north": ("1000.00", "100.00")}  # fmt: skip
    for filters, (whole, weighed) in asked.items():
        query = {pair.partition("=")[0]: refs[pair.partition("=")[2]] for pair in filters.split("&") if pair}
        figures = (await shop.sales(**query))["figures"]
        assert (figures["pipeline"], figures["weighted_pipeline"]) == (eur(whole), eur(weighed)), filters
    by_region = (await shop.sales(breakdown="region"))["breakdown"]["rows"]
    assert {row["ref"]: row["figures"]["weighted_pipeline"] for row in by_region} == {
        "EU": eur("250.00"), "US": eur("20.00"),
    }  # fmt: skip
    for dim, expected in (("team", 3), ("member", 3), ("customer", 2), ("product", 2)):
        rows = (await shop.sales(breakdown=dim))["breakdown"]["rows"]
        assert len(rows) == expected
        assert sum(float(row["figures"]["weighted_pipeline"]["amount"]) for row in rows) == 270.0


async def test_a_past_pipeline_is_weighed_by_the_chances_of_its_time(near_shop: Shop) -> None:
    await near_shop.deal("ada", "1000.00", stage="engaging")
    before = await near_shop.figure("weighted_pipeline")
    await near_shop.made("stages/engaging/chances", {"chance": "0.5", "from": "2025-05-01"})
    assert before == eur("250.00")
    assert await near_shop.figure("weighted_pipeline") == before
    assert await near_shop.figure("weighted_pipeline", "2025-Q2") == eur("500.00")


async def test_a_stage_nobody_described_is_named_and_never_weighed_as_nothing(near_shop: Shop) -> None:
    await near_shop.deal("ada", "1000.00", stage="haggling")
    view = await near_shop.sales()
    assert view["figures"]["weighted_pipeline"] is None
    notes = {note["figure"]: note["why"] for note in view["notes"]}
    assert notes["weighted_pipeline"] == "no chance is known on 2025-03-31 for the stage haggling"
    await near_shop.made("stages", {"key": "haggling", "name": "Haggling", "chance": "0.8", "position": 3})
    assert await near_shop.figure("weighted_pipeline") == eur("800.00")


async def test_trap_12_a_lost_deal_counts_nowhere_in_the_pipeline_and_the_forecast(near_shop: Shop) -> None:
    kept = await near_shop.sales()
    lost = await near_shop.deal("ada", "100000.00", stage="engaging")
    await near_shop.made(f"deals/{lost['id']}/lose", {"on": "2025-03-20", "reason": "price"})
    figures = (await near_shop.sales())["figures"]
    for key in ("pipeline", "weighted_pipeline", "forecast"):
        assert figures[key] == kept["figures"][key]
    assert figures["pipeline"] == eur("0.00")


async def test_trap_17_deals_count_in_the_period_they_were_closed_in_not_opened_in(near_shop: Shop) -> None:
    deal = await near_shop.deal("ada", None, "2025-03-01")
    await near_shop.made(f"deals/{deal['id']}/win", {"on": "2025-04-10", "value": eur("90.00")})
    first, second = (await near_shop.sales("2025-Q1"))["figures"], (await near_shop.sales("2025-Q2"))["figures"]
    assert (first["sales_cycle_median"], second["sales_cycle_median"]) == (None, "40.00")
    assert (first["sales_cycle_mean"], second["sales_cycle_mean"]) == (None, "40.00")
    assert first["coverage_ideal"] is None
    assert second["coverage_ideal"]["rate"] == "1.000000"


async def test_cycle_and_velocity_follow_their_definitions(shop: Shop) -> None:
    for days, value in ((1, "100.00"), (2, "200.00"), (12, "600.00"), (30, "700.00")):
        deal = await shop.deal("ada", None, "2025-02-01", customer=shop.refs["acme"])
        on = f"2025-02-{days + 1:02d}" if days < 28 else "2025-03-03"
        await shop.made(f"deals/{deal['id']}/win", {"on": on, "value": eur(value)})
    lost = await shop.deal("ben", None, "2025-01-10")
    await shop.made(f"deals/{lost['id']}/lose", {"on": "2025-02-10", "reason": "price"})
    await shop.deal("ben", None, "2025-03-30")
    figures = (await shop.sales())["figures"]
    assert (figures["sales_cycle_mean"], figures["sales_cycle_median"]) == ("11.25", "7.00")
    assert figures["coverage_ideal"] == {"rate": "1.250000", "numerator": 5, "denominator": 4}
    # 6 opportunities x 4/5 won x 400 a deal / 11.25 days.
    assert figures["velocity"] == eur("170.67")
    of_ada = (await shop.sales(member=shop.refs["ada"], customer=shop.refs["acme"]))["figures"]
    assert (of_ada["sales_cycle_median"], of_ada["sales_cycle_mean"]) == ("7.00", "11.25")
    by_team = (await shop.sales(breakdown="team"))["breakdown"]["rows"]
    assert [row["figures"]["sales_cycle_median"] for row in by_team] == ["7.00", None, None]
    odd_days = {"from": "2025-02-02", "to": "2025-02-20"}
    for whose in ({}, {"member": shop.refs["ada"]}, {"customer": shop.refs["acme"]}, {"team": shop.refs["north"]}):
        answer = await shop.world.admin.get("/v1/views/sales", params=odd_days | whose)
        assert answer.json()["figures"]["sales_cycle_median"] == "2.00", whose
    for by in ("member", "customer"):
        answer = await shop.world.admin.get("/v1/views/sales", params=odd_days | {"breakdown": by})
        medians = [row["figures"]["sales_cycle_median"] for row in answer.json()["breakdown"]["rows"]]
        assert [each for each in medians if each] == ["2.00"], by


async def test_every_pipeline_figure_opens_to_its_deals(near_shop: Shop) -> None:
    open_deal = await near_shop.deal("ada", "10.00")
    won = await near_shop.deal("ada", None, "2025-02-01")
    await near_shop.made(f"deals/{won['id']}/win", {"on": "2025-02-03", "value": eur("100.00")})
    await near_shop.sales()
    expected = {"pipeline": {open_deal["id"]}, "weighted_pipeline": {open_deal["id"]}, "coverage": {open_deal["id"]},
                "coverage_ideal": {won["id"]}, "sales_cycle_mean": {won["id"]}, "sales_cycle_median": {won["id"]},
                "velocity": {won["id"], open_deal["id"]}, "forecast": {won["id"]}}  # fmt: skip
    for figure, refs in expected.items():
        query = {"period": "2025-Q1", "figure": figure}
        rows = (await near_shop.world.admin.get("/v1/views/sales/rows", params=query)).json()["items"]
        assert {row["ref"] for row in rows} == refs, figure


async def test_a_group_has_what_its_members_win_while_they_are_in_it(near_shop: Shop) -> None:
    for on in ("2025-01-20", "2025-02-20"):
        deal = await near_shop.deal("ada", None, "2025-01-10")
        await near_shop.made(f"deals/{deal['id']}/win", {"on": on, "value": eur("50.00")})
    figures = (await near_shop.sales(group=near_shop.refs["inner"]))["figures"]
    assert (figures["deals_won"], figures["revenue"]) == (1, eur("50.00"))
