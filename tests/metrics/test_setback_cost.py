"""What setbacks cost stands beside the margin of the customer, so far as it is known and may be told."""

from __future__ import annotations

from typing import Any

from tests.targets.bodies import eur
from tests.targets.conftest import House, settle_in
from tests.world import World

JUNE = {"period": "2026-06"}


async def lost(house: House, customer: str, on: str, value: str | None) -> Any:
    deal = await house.deal(customer=customer, **({"value": eur(value)} if value else {}))
    answer = await house.post(f"deals/{deal['id']}/lose", {"on": on, "reason": "price"})
    assert answer.status_code == 200, answer.text
    return answer


async def test_what_was_lost_after_setbacks_stands_beside_the_margin_of_the_customer(world: World) -> None:
    house = await settle_in(world)
    calm, rude = house.cancity, (await house.made("customers", {"name": "Rude Ltd"}))["id"]
    rare = (await house.made("customers", {"name": "Rarely"}))["id"]
    people = [house.ada, house.ben]
    for number in range(6):
        hired = await house.made("members", {"name": f"M{number}", "department": "sales", "starts_on": "2025-01-01"})
        people.append(hired["id"])
    await house.won("500.00", on="2026-06-02", customer=rude, product=house.gadget)
    await lost(house, rude, "2026-06-09", "900.00")
    await lost(house, rude, "2026-06-10", "70.00")
    await lost(house, rude, "2026-06-30", "30.50")
    await lost(house, rude, "2026-07-01", "5.00")
    last = await lost(house, calm, "2026-06-20", "800.00")
    calm_only = await house.world.settled("/v1/views/finance", last, **JUNE)
    assert calm_only["figures"]["setback_cost"] == eur("0.00")
    reported = {"kind": "lost_deal", "severity": 2, "customer": rude, "at": "2026-06-10T10:00:00Z"}
    for member in people[:4]:
        last = await house.post("setbacks", reported | {"member": member})
        assert last.status_code == 201, last.text
    few = await house.world.settled("/v1/views/finance", last, **JUNE)
    assert few["figures"]["setback_cost"] is None
    assert "fewer than 5 people" in str(few["notes"])
    rows = await house.get("views/finance/rows", figure="setback_cost", **JUNE)
    assert rows["items"] == []
    last = await house.post("setbacks", reported | {"member": people[4]})
    shown = await house.world.settled("/v1/views/finance", last, **JUNE, breakdown="customer")
    assert shown["figures"]["setback_cost"] == eur("100.50")
    by = {row["ref"]: row["figures"] for row in shown["breakdown"]["rows"]}
    assert (by[rude]["gross_margin"], by[rude]["setback_cost"]) == (eur("470.00"), eur("100.50"))
    rows = await house.get("views/finance/rows", figure="setback_cost", **JUNE, customer=rude)
    assert sorted(row["closed_on"] for row in rows["items"]) == ["2026-06-10", "2026-06-30"]
    # One person of another customer: with the first one shown, the whole would tell of them.
    await house.world.settled("/v1/views/finance", await lost(house, rare, "2026-06-20", "7.00"), **JUNE)
    last = await house.post("setbacks", reported | {"member": people[7], "customer": rare})
    hidden = await house.world.settled("/v1/views/finance", last, **JUNE, breakdown="customer")
    assert hidden["figures"]["setback_cost"] == eur("107.50")
    by = {row["ref"]: row["figures"]["setback_cost"] for row in hidden["breakdown"]["rows"]}
    assert (by[rude], by[rare]) == (None, None)
    assert (await house.get("views/finance/rows", figure="setback_cost", **JUNE))["items"] == []


async def test_what_a_lost_deal_was_worth_is_not_guessed_where_nobody_said_it(world: World) -> None:
    house = await settle_in(world)
    people = [house.ada, house.ben]
    for number in range(3):
        hired = await house.made("members", {"name": f"M{number}", "department": "sales", "starts_on": "2025-01-01"})
        people.append(hired["id"])
    await house.world.settled("/v1/views/finance", await lost(house, house.cancity, "2026-06-10", None), **JUNE)
    reported = {"kind": "mistreatment", "severity": 3, "customer": house.cancity, "at": "2026-06-01T10:00:00Z"}
    for member in people:
        last = await house.post("setbacks", reported | {"member": member})
    view = await house.world.settled("/v1/views/finance", last, **JUNE)
    assert view["figures"]["setback_cost"] is None
    assert "what 1 of the 1 lost deals were worth is not known" in str(view["notes"])
    by_team = await house.world.settled("/v1/views/finance", last, **JUNE, team=house.north)
    assert by_team["figures"]["setback_cost"] is None
    last = await lost(house, house.cancity, "2026-06-12", "20.00")
    view = await house.world.settled("/v1/views/finance", last, **JUNE)
    assert view["figures"]["setback_cost"] == eur("20.00")
    assert "what 1 of the 2 lost deals were worth is not known" in str(view["notes"])
