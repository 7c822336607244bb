"""Targets of margin, deals, customers, answers and readings stand in the sales view, each in its unit, as their owner
shows them."""

from __future__ import annotations

from typing import Any

from shared.identity.scopes import member_scopes
from tests.metrics.written import Written
from tests.targets.bodies import eur, target_body
from tests.targets.conftest import settle_in
from tests.targets.test_achieved import lived_in
from tests.world import World, client_of, token_headers

PERIODS = ("2026-Q1", "2026-01")
SAME = ("target", "actual", "attainment", "variance", "variance_rate", "pace", "reached", "health")
VALUES = {"margin": eur("150.00"), "deals_won": "4", "customers_won": "1", "csat": "0.7", "activities": "10"}


class Aims(Written):
    """A house in which something happened, and what it aims at beside revenue."""

    view = "sales"

    async def aim(self, level: str, ref: str | None, value: Any, period: str, metric: str, **fields: Any) -> str:
        """A target."""
        return await self.write("targets", target_body(level, ref, value, period, metric=metric, **fields))

    async def measure(self, key: str, name: str, **how: str) -> str:
        """A metric of the house's own."""
        return await self.write("metrics", {"key": key, "name": name, **how})

    async def read(self, metric: str, on: str, value: Any, **scope: str | None) -> None:
        """A reading of it."""
        body = {"metric": metric, "scope": scope or {"level": "organisation"}, "on": on, "value": value}
        await self.write("readings", body)

    async def others(self, period: str, **query: str) -> dict[str, dict[str, Any]]:
        """The targets of other metrics, by metric."""
        found = (await self.seen(period=period, **query))["figures"]["other_targets"]
        return {each["metric"]: each for each in found or ()}


async def test_each_target_stands_in_the_view_as_its_owner_shows_it(world: World) -> None:
    house = await settle_in(world)
    places = await lived_in(house)
    aims = Aims(house)
    sick = await aims.measure("sickness", "Days of absence", unit="number", direction="lower", aggregation="mean")
    stock = await aims.measure("stock", "Stock", unit="money", aggregation="last")
    for on, days, held in (("2026-01-10", "4", "90.00"), ("2026-02-10", "1", "80.00")):
        await aims.read(sick, on, days)
        await aims.read(stock, on, {"amount": held, "currency": "USD"})
    own = {sick: "2", stock: eur("30.00")}
    ids: dict[tuple[str, str, str], str] = {}
    for place, ref in places.items():
        level = {"south": "team", "ben": "member"}.get(place, place)
        for metric, value in (VALUES | own).items():
            for period in PERIODS:
                ids[place, metric, period] = await aims.aim(level, ref, value, period, metric)
    compared = 0
    for place, ref in places.items():
        query = {{"south": "team", "ben": "member"}.get(place, place): ref} if ref else {}
        for period in PERIODS:
            shown = await aims.others(period, **query)
            assert set(shown) == {*VALUES, *own}, (place, period)
            for metric, each in shown.items():
                told = await house.get(f"targets/{ids[place, metric, period]}/attainment")
                assert {name: each[name] for name in SAME} == {name: told[name] for name in SAME}, (
                    place,
                    period,
                    metric,
                )
                assert each["ref"] == told["id"]
                compared += told["actual"] is not None
            assert await aims.rows("other_targets", period, **query) == {ids[place, each, period] for each in shown}
    assert compared > 60
    units = {metric: each["unit"] for metric, each in (await aims.others("2026-Q1")).items()}
    assert units == {"margin": "money", stock: "money"} | dict.fromkeys([*VALUES, sick][1:], "number")
    whole = await aims.others("2026-Q1")
    assert (whole[sick]["actual"], whole[sick]["direction"]) == ("2.5", "lower")
    assert whole[stock]["actual"] == eur("40.00")
    await _rows_of_breakdowns_say_the_same(aims, places)
    await _a_period_takes_its_part(aims)
    await _what_is_not_known_is_said(aims)
    await _a_member_reads_their_own(aims, places)


async def _rows_of_breakdowns_say_the_same(aims: Aims, places: dict[str, str | None]) -> None:
    for by, names in (("team", ("team", "south")), ("member", ("member", "ben")), ("group", ("group",)),
                      ("department", ("department",))):  # fmt: skip
        rows = (await aims.seen(period="2026-Q1", breakdown=by))["breakdown"]["rows"]
        shown = {row["ref"]: row["figures"]["other_targets"] for row in rows}
        for name in names:
            ref = places[name]
            assert ref is not None
            alone = await aims.seen(period="2026-Q1", **{by: ref})
            assert shown[ref] == alone["figures"]["other_targets"], by


async def _a_period_takes_its_part(aims: Aims) -> None:
    """Of what adds up February has its part of the quarter, 28 of 90 days; a mean is aimed at as a whole."""
    february = await aims.others("2026-02")
    assert (february["deals_won"]["target"], february["deals_won"]["actual"]) == ("1.244444", "2")
    assert (february["csat"]["target"], february["csat"]["actual"]) == ("0.7", None)
    assert february["deals_won"]["period"]["from"] == "2026-02-01"


async def _what_is_not_known_is_said(aims: Aims) -> None:
    view = await aims.seen(period="2026-02")
    why = next(note["why"] for note in view["notes"] if note["figure"] == "other_targets")
    assert "margin: what" in why
    assert "csat: no customer has answered" in why
    nothing = await aims.seen(period="2026-Q1", customer=aims.house.cancity)
    assert nothing["figures"]["other_targets"] is None
    assert "targets are set for the organisation" in str(nothing["notes"])


async def _a_member_reads_their_own(aims: Aims, places: dict[str, str | None]) -> None:
    """A colleague's targets are as if they were not there, in the figure as in the rows behind it."""
    ada = aims.house.ada
    headers = token_headers(aims.house.world.settings, *member_scopes(), "views.sales:read", member=ada)
    async with client_of(aims.house.world.origin, headers) as member:
        for path in ("/v1/views/sales", "/v1/views/sales/rows"):
            asked = {"period": "2026-Q1", "figure": "other_targets"}
            mine = await member.get(path, params=asked | {"member": ada})
            assert mine.status_code == 200, mine.text
            assert (await member.get(path, params=asked | {"member": str(places["ben"])})).status_code == 404
