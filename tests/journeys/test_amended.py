"""What is agreed on with a won deal may change: the difference counts on the day of the change, in every view."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.test_one_fact_five_views import settled_company, won_deal
from tests.world import World


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def revenue(world: World, after: Any, **query: str) -> str:
    view = await world.settled("/v1/views/sales", after, **query)
    amount: str = view["figures"]["revenue"]["amount"]
    return amount


async def amended(world: World, deal: str, **fields: Any) -> Any:
    body = {"on": "2026-04-10", "value": euros("80.00"), "reason": "One piece was not wanted"} | fields
    return await world.post(f"/v1/deals/{deal}/amend", body)


async def test_an_amendment_counts_on_its_day_and_the_past_stays(world: World) -> None:
    company = await settled_company(world)
    won = await won_deal(world, company)
    deal = won.json()["id"]
    half = [{"member": company["member"], "share": "1"}]
    line = {"product": company["product"], "quantity": "3", "unit_price": euros("45.00")}
    more = await amended(world, deal, on="2026-04-10", value=None, lines=[line], credits=half)
    assert more.status_code == 200, more.text
    assert (more.json()["value"], more.json()["amended_on"]) == (euros("135.00"), "2026-04-10")
    less = await amended(world, deal, on="2026-05-02", value=euros("70.50"))
    assert less.status_code == 200, less.text
    for query in ({}, {"team": company["team"]}, {"member": company["member"]}, {"customer": company["customer"]}):
        assert await revenue(world, less, period="2026-Q1", **query) == "100.00"
        assert await revenue(world, less, period="2026-04", **query) == "35.00"
        assert await revenue(world, less, period="2026-05", **query) == "-64.50"
        assert await revenue(world, less, period="2026", **query) == "70.50"
    both = {"team": company["team"], "product": company["product"]}
    assert await revenue(world, less, period="2026-04", **both) == "35.00"
    finance = await world.settled("/v1/views/finance", less, period="2026-04")
    assert finance["figures"]["cost_of_sales"] == euros("30.00")
    rows = (await world.settled("/v1/views/sales/rows", less, period="2026-04", figure="revenue"))["items"]
    assert [row["ref"] for row in rows] == [deal]
    assert [each["value"] for each in rows[0]["amendments"]] == [euros("135.00"), euros("70.50")]
    then = (await world.admin.get(f"/v1/deals/{deal}", params={"on": "2026-04-09"})).json()
    assert (then["value"], then["amendments"]) == (euros("100.00"), [])
    between = (await world.admin.get(f"/v1/deals/{deal}", params={"on": "2026-04-30"})).json()
    assert (between["value"], len(between["amendments"])) == (euros("135.00"), 1)
    certificate = (await world.admin.get("/v1/consistency", params={"fresh": "true"})).json()
    assert [each for each in certificate["invariants"] if not each["holds"]] == []
    assert certificate["verdict"] == "consistent", certificate["reasons"]


async def test_targets_and_views_agree_on_what_was_attained_of_an_amended_deal(world: World) -> None:
    company = await settled_company(world)
    deal = (await won_deal(world, company)).json()["id"]
    levels = (("organisation", None), ("team", company["team"]), ("member", company["member"]))
    changed = await amended(world, deal)
    for level, ref in levels:
        target = {"metric": "revenue", "scope": {"level": level, "ref": ref}, "period": "2026-Q2",
                  "value": euros("100.00")}  # fmt: skip
        if ref is None:
            del target["scope"]["ref"]  # type: ignore[attr-defined]
        made = await world.made("/v1/targets", target)
        attained = (await world.admin.get(f"/v1/targets/{made['id']}/attainment")).json()
        query = {level: ref} if ref else {}
        assert attained["actual"] == euros("-20.00")
        assert await revenue(world, changed, period="2026-Q2", **query) == "-20.00"


@pytest.mark.parametrize(
    ("fields", "status", "rule"),
    [
        ({"on": "2026-02-27"}, 422, "amended-before-won"),
        ({"value": {"amount": "80.00", "currency": "USD"}}, 422, "amended-in-another-currency"),
        ({"value": euros("59.99")}, 409, "amended-below-invoices"),
    ],
)
async def test_an_amendment_that_cannot_be_is_refused_with_the_numbers(
    world: World, fields: dict[str, Any], status: int, rule: str
) -> None:
    company = await settled_company(world)
    deal = (await won_deal(world, company)).json()["id"]
    await world.made("/v1/invoices", {"deal": deal, "amount": euros("60.00"), "on": "2026-03-01"})
    refused = await amended(world, deal, **fields)
    assert (refused.status_code, refused.json()["rule"]) == (status, rule), refused.text
    if rule == "amended-below-invoices":
        assert "60.00 EUR" in refused.json()["detail"]
        assert "0.01 EUR more" in refused.json()["detail"]


async def test_only_a_won_deal_is_amended_and_a_reason_is_needed(world: World) -> None:
    company = await settled_company(world)
    deal = await world.made("/v1/deals", {"owner": company["member"], "opened_on": "2026-02-01"})
    assert (await amended(world, deal["id"])).json()["rule"] == "deal-is-not-won"
    won = (await won_deal(world, company)).json()["id"]
    missing = await world.post(f"/v1/deals/{won}/amend", {"on": "2026-04-01", "value": euros("1.00")})
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (422, "/reason")
