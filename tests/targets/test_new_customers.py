"""Who is a new customer counts for whom the first deal was won, the same in targets and views."""

from __future__ import annotations

from tests.targets.bodies import eur, target_body
from tests.targets.conftest import House


async def test_a_new_customer_counts_for_the_team_owner_group_and_product_of_the_first_won_deal(
    each_house: House,
) -> None:
    house = each_house
    other = (await house.made("customers", {"name": "Zencorp"}))["id"]
    inner = (await house.made("groups", {"name": "Inner", "team": house.north}))["id"]
    joined = await house.post(f"members/{house.ben}/join", {"team": house.north, "group": inner, "from": "2026-01-01"})
    await house.world.settled("/v1/deals", joined)
    sales = (
        ("2026-02-01", {"owner": house.ada, "customer": house.cancity, "product": house.gadget}),
        ("2026-02-03", {"owner": house.ben, "customer": house.cancity}),
        # Both on one day: one of them is the first by its id, and both services take the same.
        ("2026-02-05", {"owner": house.ben, "customer": other}),
        ("2026-02-05", {"owner": house.ada, "customer": other}),
    )
    for on, whose in sales:
        deal = await house.deal(**whose)
        last = await house.post(f"deals/{deal['id']}/win", {"on": on, "value": eur("10.00")})
    counted = {}
    levels = (("organisation", None), ("department", "sales"), ("team", house.north), ("group", inner),
              ("member", house.ada), ("member", house.ben))  # fmt: skip
    for level, ref in levels:
        target = await house.made("targets", target_body(level, ref, "5", metric="customers_won"))
        narrowed = {level: ref} if ref else {}
        view = await house.world.settled("/v1/views/sales", last, period="2026-Q1", **narrowed)
        counted[level, ref] = view["figures"]["customers_new"]
        assert (await house.attained(target))["actual"] == str(counted[level, ref]), level
        query = {"period": "2026-Q1", "figure": "customers_new", **narrowed}
        assert len((await house.get("views/sales/rows", **query))["items"]) == counted[level, ref]
    assert [counted[each] for each in levels[:3]] == [2, 2, 2]
    assert counted["member", house.ada] + counted["member", house.ben] == 2
    assert counted["group", inner] == counted["member", house.ben]
    rows = (await house.get("views/sales", period="2026-Q1", breakdown="product"))["breakdown"]["rows"]
    assert {row["ref"]: row["figures"]["customers_new"] for row in rows} == {house.gadget: 1, None: 1}
    both = await house.get("views/sales", period="2026-Q1", member=house.ada, product=house.gadget)
    assert both["figures"]["customers_new"] == 1
    assert (await house.get("views/sales", period="2026-03", team=house.north))["figures"]["customers_new"] == 0
