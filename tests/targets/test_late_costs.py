"""What was sold cost as of the day of its sale, also where that is said late, or in another currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from services.targets.api.costing import CostKeeper
from services.targets.domain.deals import Deal, Sold
from shared.events.targets import Costed, DealCosted
from shared.instant import now
from shared.money import Money
from tests.metrics.stream import relayed
from tests.targets.bodies import day, eur, target_body
from tests.targets.conftest import House

SHARES = [("mbr_a", Decimal("0.5")), ("mbr_b", Decimal("0.5"))]


def sold(product: str, amount: str, cost: str | None = None) -> Sold:
    return Sold(product, Decimal(2), Money(amount, "EUR"), Money(cost, "EUR") if cost else None)


def known(**costs: str) -> Any:
    """What a piece of each product costs on every day."""

    def cost(product: str, quantity: Decimal, on: date, currency: str) -> Money | None:
        return Money(str(Decimal(costs[product]) * quantity), currency) if product in costs else None

    return cost


def won(*lines: Sold) -> Deal:
    deal, _ = Deal.open(owner="mbr_a", opened_on=day("2026-01-02"))
    deal.win(day("2026-01-05"), Money("100.00", "EUR"), lines, SHARES, [])
    return deal


def test_a_deal_learns_what_its_lines_cost_once_and_keeps_what_it_knew() -> None:
    deal = won(sold("bolt", "60.00", "1.00"), sold("nut", "40.00"))
    assert deal.learn_costs(known()) is None
    learnt = deal.learn_costs(known(bolt="9.99", nut="2.01"))
    assert learnt == DealCosted(agreed=(Costed(
        lines=(Money("1.00", "EUR"), Money("4.02", "EUR")), cost=Money("5.02", "EUR"),
        credits=(Money("2.51", "EUR"), Money("2.51", "EUR")),
    ),))  # fmt: skip
    assert deal.cost == Money("5.02", "EUR")
    assert deal.learn_costs(known(bolt="1.00", nut="1.00")) is None


def test_what_was_agreed_on_before_an_amendment_learns_its_cost_too() -> None:
    deal = won(sold("bolt", "100.00"))
    deal.amend(day("2026-02-01"), Money("120.00", "EUR"), [sold("nut", "120.00")], SHARES, "more")
    learnt = deal.learn_costs(known(bolt="3.00"))
    assert learnt is not None
    assert [each.cost for each in learnt.agreed] == [Money("6.00", "EUR"), None]
    assert (deal.cost, deal.amendments[0]["cost"]) == (None, {"amount": "6.00", "currency": "EUR"})
    assert deal.learn_costs(known(nut="4.00")) is not None
    assert deal.cost == Money("8.00", "EUR")


async def test_a_cost_that_is_said_after_the_sale_for_its_day_fills_the_margin_in_both_services(
    each_house: House,
) -> None:
    house = each_house
    late, dear = [(await house.made("products", {"name": name}))["id"] for name in ("Late", "From abroad")]
    lines = [{"product": each, "quantity": "2", "unit_price": eur("50.00")} for each in (late, dear)]
    deal = await house.deal(customer=house.cancity)
    await house.made(f"deals/{deal['id']}/win", {"on": "2026-02-03", "lines": lines})
    target = await house.made("targets", target_body("member", house.ada, eur("100.00"), "2026-Q1", metric="margin"))
    assert (await house.attained(target))["actual"] is None
    await house.made(f"products/{late}/costs", {"cost": eur("10.00"), "from": "2026-02-01"})
    await house.made(f"products/{late}/costs", {"cost": eur("99.00"), "from": "2026-02-04"})
    await house.made(f"products/{dear}/costs", {"cost": {"amount": "20.00", "currency": "CHF"}, "from": "2026-01-01"})
    await house.made("rates", {"from": "CHF", "to": "EUR", "on": "2026-02-01", "rate": "1.1"})
    await house.made("rates", {"from": "CHF", "to": "EUR", "on": "2026-02-20", "rate": "3"})
    keeper = CostKeeper(house.world.services["targets"].runtime.store, now)
    await keeper.look()
    # 200 - 2 x 10 - 2 x 20 x 1.1, by the cost and the rate of the day of the sale.
    assert (await house.attained(target))["actual"] == eur("136.00")
    await relayed(house.world)
    shown = await house.get("views/finance", period="2026-Q1", member=house.ada)
    assert (shown["figures"]["cost_of_sales"], shown["figures"]["gross_margin"]) == (eur("64.00"), eur("136.00"))
    version = (await house.get(f"deals/{deal['id']}"))["version"]
    await keeper.fill()
    assert (await house.get(f"deals/{deal['id']}"))["version"] == version
