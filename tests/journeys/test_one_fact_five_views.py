"""The way through Concert: a person is hired, a deal is won, a request is answered, and all five views see it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metrics.stream import relayed
from tests.world import World

PERIOD = {"period": "2026-Q1"}


async def settled_company(world: World) -> dict[str, str]:
    """A team with a seller, a customer and a product, known to every service."""
    team = await world.made("/v1/teams", {"name": "North", "region": "EMEA", "external": {"source": "t", "id": "n"}})
    hired = await world.post("/v1/members", {"name": "Ada Berg", "department": "sales", "starts_on": "2026-01-05"})
    member = hired.json()["id"]
    joined = await world.post(f"/v1/members/{member}/join", {"team": team["id"], "from": "2026-01-05"})
    await world.settled("/v1/deals", joined)
    await world.settled("/v1/requests", joined)
    customer = await world.made("/v1/customers", {"name": "Cancity"})
    product = await world.made("/v1/products", {"name": "GTX Pro"})
    cost = {"cost": {"amount": "30.00", "currency": "EUR"}, "from": "2026-01-01"}
    await world.made(f"/v1/products/{product['id']}/costs", cost)
    return {"team": team["id"], "member": member, "customer": customer["id"], "product": product["id"]}


async def won_deal(world: World, company: dict[str, str]) -> Any:
    """A deal of two pieces at 50 euros each, won on the last of February."""
    deal = await world.made(
        "/v1/deals", {"owner": company["member"], "customer": company["customer"], "opened_on": "2026-02-01"}
    )
    line = {"product": company["product"], "quantity": "2", "unit_price": {"amount": "50.00", "currency": "EUR"}}
    return await world.post(f"/v1/deals/{deal['id']}/win", {"on": "2026-02-28", "lines": [line]})


async def test_a_deal_that_is_won_is_in_every_view_that_it_belongs_to(world: World) -> None:
    company = await settled_company(world)
    won = await won_deal(world, company)
    assert won.status_code == 200, won.text
    views = (await world.settled("/v1/views", won, **PERIOD))["views"]
    euros = {"amount": "100.00", "currency": "EUR"}
    assert views["sales"]["figures"]["revenue"] == euros
    assert views["sales"]["figures"]["customers_new"] == 1
    assert views["finance"]["figures"]["cost_of_sales"] == {"amount": "60.00", "currency": "EUR"}
    assert views["finance"]["figures"]["gross_margin"] == {"amount": "40.00", "currency": "EUR"}
    assert views["finance"]["figures"]["gross_margin_rate"]["rate"] == "0.400000"
    assert views["accounting"]["figures"]["not_yet_invoiced"] == euros
    assert views["hr"]["figures"]["headcount_sales"] == 1
    assert views["it"]["figures"]["requests_opened"] == 0
    assert len({view["as_of"]["time"] for view in views.values()}) == 1


async def test_the_deal_keeps_the_team_it_was_won_for_when_its_seller_moves(world: World) -> None:
    company = await settled_company(world)
    won = await won_deal(world, company)
    await world.settled("/v1/views/sales", won, **PERIOD)
    south = await world.made("/v1/teams", {"name": "South"})
    moved = await world.post(
        f"/v1/members/{company['member']}/move",
        {"from_team": company["team"], "to_team": south["id"], "on": "2026-03-01"},
    )
    view = await world.settled("/v1/views/sales", moved, **PERIOD, breakdown="team")
    assert won.json()["team"] == company["team"]
    revenue = {row["ref"]: row["figures"]["revenue"]["amount"] for row in view["breakdown"]["rows"]}
    assert revenue[company["team"]] == "100.00"
    assert revenue[south["id"]] == "0.00"


async def test_invoices_and_receipts_leave_the_right_amounts_open(world: World) -> None:
    company = await settled_company(world)
    won = await won_deal(world, company)
    await world.settled("/v1/views/sales", won, **PERIOD)
    deal = won.json()["id"]
    invoice = {
        "deal": deal,
        "amount": {"amount": "70.00", "currency": "EUR"},
        "on": "2026-03-01",
        "due_on": "2026-03-11",
    }
    entered = await world.made("/v1/invoices", invoice)
    paid = {"invoice": entered["id"], "amount": {"amount": "20.00", "currency": "EUR"}, "on": "2026-03-20"}
    booked = await world.post("/v1/receipts", paid)
    # The deal, its invoice and the receipt are told by ways of their own.
    await relayed(world)
    figures = (await world.settled("/v1/views/accounting", booked, **PERIOD))["figures"]
    assert figures["invoiced"]["amount"] == "70.00"
    assert figures["not_yet_invoiced"]["amount"] == "30.00"
    assert figures["received"] == figures["funds_generated"] == {"amount": "20.00", "currency": "EUR"}
    assert figures["outstanding"]["amount"] == "50.00"
    assert figures["outstanding_by_age"]["1-30"]["amount"] == "50.00"


async def test_a_second_invoice_beyond_the_value_of_the_deal_is_refused_with_the_numbers(world: World) -> None:
    company = await settled_company(world)
    deal = (await won_deal(world, company)).json()["id"]
    invoice = {"deal": deal, "amount": {"amount": "70.00", "currency": "EUR"}, "on": "2026-03-01"}
    await world.made("/v1/invoices", invoice)
    refused = await world.post("/v1/invoices", invoice)
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["rule"] == "invoiced-beyond-value"
    assert "100.00 EUR" in problem["detail"]
    assert "70.00 EUR" in problem["detail"]


async def test_a_budget_that_stops_overruns_refuses_the_expense_that_goes_beyond_it(world: World) -> None:
    company = await settled_company(world)
    assert company
    plan = {"department": "sales", "period": "2026", "amount": {"amount": "100.00", "currency": "EUR"}}
    await world.made("/v1/budgets", plan | {"on_overrun": "stop"})
    spend = {
        "department": "sales",
        "kind": "travel",
        "amount": {"amount": "60.00", "currency": "EUR"},
        "on": "2026-02-01",
    }
    booked = await world.post("/v1/expenses", spend)
    refused = await world.post("/v1/expenses", spend)
    assert refused.status_code == 409
    assert "60.00 EUR" in refused.json()["detail"]
    view = await world.settled("/v1/views", booked, period="2026")
    assert view["views"]["accounting"]["figures"]["left"]["amount"] == "40.00"
    assert view["views"]["finance"]["figures"]["selling_expense"]["amount"] == "60.00"


async def test_a_request_from_sales_to_it_is_the_same_number_in_both_views(world: World) -> None:
    company = await settled_company(world)
    ask = {"kind": "it_support", "title": "The printer is silent", "from": {"member": company["member"]},
           "to": {"department": "it"}, "promised_by": "2026-02-10", "at": "2026-02-09T08:00:00Z"}  # fmt: skip
    request = await world.made("/v1/requests", ask)
    resolved = await world.post(f"/v1/requests/{request['id']}/resolve", {"at": "2026-02-10T10:00:00Z"})
    views = (await world.settled("/v1/views", resolved, **PERIOD))["views"]
    assert views["it"]["figures"]["requests_from_sales"] == views["sales"]["figures"]["requests_to_it"] == 1
    assert views["it"]["figures"]["resolved_on_time"] == {"rate": "1.000000", "numerator": 1, "denominator": 1}
    assert views["it"]["figures"]["time_to_resolve"] == "26.00"


async def test_no_name_and_no_free_text_ever_reaches_a_topic_that_is_kept(world: World) -> None:
    company = await settled_company(world)
    ask = {
        "kind": "other",
        "title": "About Ada Berg",
        "from": {"member": company["member"]},
        "to": {"department": "hr"},
    }
    await world.made("/v1/requests", ask)
    deal = await world.made("/v1/deals", {"owner": company["member"], "name": "Ada Berg's secret"})
    lost = await world.post(f"/v1/deals/{deal['id']}/lose", {"reason": "Ada Berg was ill"})
    await world.settled("/v1/views", lost, **PERIOD)
    for kind, ref in (("members", company["member"]), ("deals", deal["id"])):
        history = (await world.admin.get(f"/v1/{kind}/{ref}/history")).json()["items"]
        assert history
        assert "Ada Berg" not in str(history)


@pytest.mark.parametrize("department", ["sales", "finance", "accounting", "hr", "it"])
async def test_a_figure_that_is_not_known_is_null_with_a_note_saying_why(world: World, department: str) -> None:
    view = (await world.admin.get(f"/v1/views/{department}", params=PERIOD)).json()
    unknown = {key for key, value in view["figures"].items() if value is None}
    assert unknown == {note["figure"] for note in view["notes"]}
    assert all(note["why"] for note in view["notes"])
    assert set(view["definitions"]) == set(view["figures"])
