"""What is read for the targets of a page at once is what each of them has when it is asked about alone."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House

PERIODS = ("2026", "2026-Q1", "2026-01")


async def lived_in(house: House) -> dict[str, str | None]:
    """Deals shared, amended, uncosted and in another currency, of people who move, with answers and readings."""
    south = (await house.made("teams", {"name": "South"}))["id"]
    inner = (await house.made("groups", {"name": "Inner circle", "team": house.north}))["id"]
    await house.post(f"members/{house.ada}/join", {"group": inner, "from": "2026-01-10"})
    move = {"from_team": house.north, "to_team": south, "on": "2026-02-10"}
    moved = await house.post(f"members/{house.ben}/move", move)
    await house.world.settled("/v1/targets", moved)
    await house.made("rates", {"from": "USD", "to": "EUR", "on": "2026-01-01", "rate": "0.5"})
    credits = [{"member": house.ada, "share": "0.6"}, {"member": house.ben, "share": "0.4"}]
    line = {"product": house.gadget, "quantity": "1", "unit_price": eur("100.00")}
    for on, opened, how in (
        ("2026-01-05", "2026-01-02", {"lines": [line]}),
        ("2026-01-12", "2026-01-02", {"lines": [line, line], "credits": credits}),
        ("2026-02-20", "2026-02-02", {"value": {"amount": "90.00", "currency": "USD"}}),
        ("2026-03-15", "2026-02-02", {"value": eur("33.33"), "credits": credits}),
    ):
        deal = await house.deal(customer=house.cancity, product=house.gadget, opened_on=opened)
        won = await house.made(f"deals/{deal['id']}/win", {"on": on} | how)
    await house.made(f"deals/{won['id']}/amend", {"on": "2026-04-02", "value": eur("66.66"), "reason": "more seats"})
    await house.won("5.00", on="2026-02-25", opened_on="2026-02-12", owner=house.ben)
    for score, member in ((5, house.ada), (2, house.ben), (4, None)):
        answer = {"customer": house.cancity, "score": score, "recommends": 2 * score, "on": "2026-01-15"}
        await house.made("feedback", answer | ({"member": member} if member else {}))
    for who, number in ((house.ada, "7"), (house.ben, "4")):
        reading = {"metric": "activities", "scope": {"level": "member", "ref": who}, "on": "2026-01-20"}
        await house.made("readings", reading | {"value": number})
    return {"organisation": None, "department": "sales", "team": house.north, "group": inner, "member": house.ada,
            "south": south, "ben": house.ben}  # fmt: skip


async def test_a_page_of_targets_says_of_each_what_it_says_when_it_is_asked_about_alone(each_house: House) -> None:
    house, places = each_house, await lived_in(each_house)
    values = {"revenue": eur("200.00"), "margin": eur("150.00"), "deals_won": "4", "customers_won": "1",
              "csat": "0.7", "activities": "10"}  # fmt: skip
    for place, ref in places.items():
        level = {"south": "team", "ben": "member"}.get(place, place)
        for metric, value in values.items():
            for period in PERIODS:
                await house.made("targets", target_body(level, ref, value, period, metric=metric))
    listed = (await house.get("targets", limit=200))["items"]
    assert len(listed) == len(places) * len(values) * len(PERIODS)
    found: dict[tuple[str, str | None, str], Any] = {}
    for each in listed:
        alone = await house.get(f"targets/{each['id']}/attainment")
        assert each["health"] == alone["health"], alone
        found[each["metric"], each["scope"]["ref"], each["period"]["label"]] = alone["actual"]
    # 100 + 200, 90 dollars at 0.5, 33.33 and 33.33 more from the amendment on, and what Ben won alone.
    expected = {
        ("revenue", None, "2026-Q1"): eur("383.33"), ("revenue", None, "2026"): eur("416.66"),
        ("revenue", "sales", "2026-01"): eur("300.00"), ("revenue", house.north, "2026-Q1"): eur("378.33"),
        ("revenue", places["south"], "2026-Q1"): eur("5.00"), ("revenue", house.ada, "2026-01"): eur("220.00"),
        ("revenue", places["group"], "2026-01"): eur("120.00"), ("revenue", house.ben, "2026-Q1"): eur("98.33"),
        ("margin", house.ada, "2026-01"): eur("154.00"), ("margin", None, "2026-Q1"): None,
        ("deals_won", None, "2026-Q1"): "5", ("deals_won", house.ben, "2026"): "1",
        ("customers_won", house.ada, "2026-01"): "1", ("customers_won", places["south"], "2026"): "0",
        ("csat", house.ben, "2026"): "0", ("csat", None, "2026-Q1"): "0.666667",
        ("activities", None, "2026-01"): "11", ("activities", house.ada, "2026-Q1"): "7",
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
