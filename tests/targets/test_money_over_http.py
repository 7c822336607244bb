"""Money through the public routes: what is entered, corrected, asked for again and looked back at."""

from __future__ import annotations

import json
from typing import Any

from tests.targets.bodies import eur
from tests.targets.conftest import House


async def test_an_invoice_says_what_has_come_in_and_what_is_outstanding(house: House) -> None:
    invoice = await house.invoice(await house.won(), "80.00", due_on="2026-03-01")
    assert (invoice["outstanding"], invoice["due_on"]) == (eur("80.00"), "2026-03-01")
    await house.made("receipts", {"invoice": invoice["id"], "amount": eur("30.00"), "on": "2026-02-20"})
    await house.made(f"invoices/{invoice['id']}/credit", {"amount": eur("10.00"), "on": "2026-02-21"})
    now = await house.made(f"invoices/{invoice['id']}/write-off", {"amount": eur("5.00"), "on": "2026-02-22"})
    assert (now["received"], now["outstanding"]) == (eur("30.00"), eur("35.00"))
    problem = await house.refused(f"invoices/{invoice['id']}/credit", {"amount": eur("35.01"), "on": "2026-02-23"})
    assert problem["rule"] == "more-than-outstanding"
    assert problem["detail"] == "Of this invoice 35.00 EUR is outstanding; 35.01 EUR is more than that."
    assert problem["errors"][0]["pointer"] == "/amount"


async def test_an_invoice_without_a_day_to_pay_by_is_due_after_thirty_days(house: House) -> None:
    assert (await house.invoice(await house.won(), "80.00", on="2026-02-10"))["due_on"] == "2026-03-12"


async def test_what_is_paid_beyond_an_invoice_stays_on_account(house: House) -> None:
    invoice = await house.invoice(await house.won(), "80.00")
    receipt = await house.made("receipts", {"invoice": invoice["id"], "amount": eur("95.00"), "on": "2026-02-20"})
    assert receipt["applied"] == eur("80.00")
    shown = await house.get(f"invoices/{invoice['id']}")
    assert (shown["received"], shown["outstanding"]) == (eur("95.00"), eur("0.00"))
    await house.made(f"receipts/{receipt['id']}/reverse", {"on": "2026-02-25"})
    assert (await house.get(f"invoices/{invoice['id']}"))["outstanding"] == eur("80.00")


async def test_a_voided_invoice_makes_room_for_another_and_for_reopening_its_deal(house: House) -> None:
    deal = await house.won("100.00")
    invoice = await house.invoice(deal, "70.00")
    receipt = await house.made("receipts", {"invoice": invoice["id"], "amount": eur("70.00"), "on": "2026-02-20"})
    refused = await house.refused("invoices", {"deal": deal["id"], "amount": eur("30.01"), "on": "2026-02-11"})
    assert "100.00 EUR and 70.00 EUR of it is invoiced" in refused["detail"]
    assert (await house.refused(f"deals/{deal['id']}/reopen", {}))["rule"] == "deal-is-invoiced"
    assert (await house.refused(f"invoices/{invoice['id']}/void", {}))["rule"] == "money-has-come-in"
    await house.made(f"receipts/{receipt['id']}/reverse", {"on": "2026-02-21"})
    voided = await house.made(f"invoices/{invoice['id']}/void", {"on": "2026-02-22"})
    assert (voided["status"], voided["outstanding"]) == ("void", eur("0.00"))
    late = {"invoice": invoice["id"], "amount": eur("1.00"), "on": "2026-02-23"}
    assert (await house.refused("receipts", late))["rule"] == "invoice-is-void"
    another = await house.invoice(deal, "100.00")
    await house.made(f"invoices/{another['id']}/void", {})
    assert (await house.made(f"deals/{deal['id']}/reopen", {}))["status"] == "open"


async def test_only_a_won_deal_is_invoiced_and_in_its_own_currency(house: House) -> None:
    opened = await house.deal()
    body = {"deal": opened["id"], "amount": eur("1.00"), "on": "2026-02-10"}
    assert (await house.refused("invoices", body))["rule"] == "deal-is-not-won"
    dollars = {"deal": (await house.won())["id"], "amount": {"amount": "1.00", "currency": "USD"}}
    problem = await house.refused("invoices", dollars, 422)
    assert problem["errors"][0]["pointer"] == "/amount/currency"


async def test_the_same_invoice_sent_again_by_its_own_system_changes_nothing(house: House) -> None:
    deal = await house.won(external={"source": "crm", "id": "again"})
    body = {"deal": "ext:crm:again", "amount": eur("80.00"), "on": "2026-02-10", "tax": eur("15.20")}
    first = await house.put("invoices/ext:ledger:2026-0017", body)
    # Another way of writing the same amount and the same deal.
    again = await house.put("invoices/ext:ledger:2026-0017", body | {"amount": eur("80"), "deal": deal["id"]})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["etag"] == again.headers["etag"] == '"1"'
    assert len((await house.get("invoices/ext:ledger:2026-0017/history"))["items"]) == 1
    other = await house.put("invoices/ext:ledger:2026-0017", body | {"amount": eur("81.00")})
    assert other.status_code == 409
    assert other.json()["errors"] == [{"pointer": "/amount", "detail": "differs from what is stored"}]
    unknown = await house.put("invoices/ext:ledger:2026-0017", body | {"colour": "red"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/colour")


async def test_an_invoice_is_shown_as_it_was_on_a_day(house: House) -> None:
    invoice = await house.invoice(await house.won(), "80.00", on="2026-02-10")
    await house.made(f"invoices/{invoice['id']}/credit", {"amount": eur("10.00"), "on": "2026-02-20"})
    await house.made(f"invoices/{invoice['id']}/void", {"on": "2026-03-01"})
    path = f"invoices/{invoice['id']}"
    assert (await house.get(path, on="2026-02-19"))["credits"] == []
    before = await house.get(path, on="2026-02-28")
    assert (before["status"], len(before["credits"]), before["outstanding"]) == ("issued", 1, None)
    assert (await house.world.admin.get(f"/v1/{path}", params={"on": "2026-02-09"})).status_code == 404
    kinds = [each["type"].split(".")[2] for each in (await house.get(f"{path}/history"))["items"]]
    assert kinds == ["invoice-entered", "invoice-credited", "invoice-voided"]


async def test_invoices_and_receipts_arrive_in_bulk_and_bad_rows_do_not_hold_up_good_ones(house: House) -> None:
    for place in range(3):
        await house.won("100.00", external={"source": "bulk", "id": str(place)})
    rows: list[dict[str, Any]] = [
        {"external": {"source": "bulk", "id": f"i{place}"}, "deal": f"ext:bulk:{place}", "amount": eur(amount),
         "on": "2026-02-10"}
        for place, amount in enumerate(("100.00", "100.01", "40.00"))
    ]  # fmt: skip
    rows.append({"do": "credit", "invoice": "ext:bulk:i2", "amount": eur("5.00"), "on": "2026-02-11"})
    answers = await _bulk(house, "invoices", rows)
    assert [each["status"] for each in answers] == [201, 409, 201, 200]
    assert answers[1]["problem"]["rule"] == "invoiced-beyond-value"
    # The whole file again: nothing is doubled, the refused row is refused again.
    again = await _bulk(house, "invoices", rows)
    assert [(each["status"], each.get("version")) for each in again] == [(200, 1), (409, None), (200, 2), (200, 2)]
    paid: list[dict[str, Any]] = [
        {"external": {"source": "bulk", "id": "r0"}, "invoice": "ext:bulk:i0", "amount": eur("100.00"),
         "on": "2026-03-01"},
        {"do": "reverse", "receipt": "ext:bulk:r0", "on": "2026-03-02"},
    ]  # fmt: skip
    assert [each["status"] for each in await _bulk(house, "receipts", paid)] == [201, 200]
    listed = await house.get("invoices", deal="ext:bulk:2")
    assert [each["outstanding"] for each in listed["items"]] == [eur("35.00")]


async def _bulk(house: House, collection: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    content = "\n".join(json.dumps(row) for row in rows)
    answer = await house.world.admin.post(f"/v1/{collection}/bulk", content=content)
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_a_retried_write_with_the_same_key_books_once(house: House) -> None:
    invoice = await house.invoice(await house.won(), "80.00")
    body = {"invoice": invoice["id"], "amount": eur("20.00"), "on": "2026-02-20"}
    first = await house.post("receipts", body, Idempotency_Key="receipt-1")
    again = await house.post("receipts", body, Idempotency_Key="receipt-1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert (await house.get(f"invoices/{invoice['id']}"))["received"] == eur("20.00")
    other = await house.post("receipts", body | {"amount": eur("21.00")}, Idempotency_Key="receipt-1")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-mismatch")


async def test_a_change_decided_on_an_old_version_is_refused(house: House) -> None:
    invoice = await house.invoice(await house.won(), "80.00")
    path, take = f"invoices/{invoice['id']}/credit", {"amount": eur("1.00"), "on": "2026-02-20"}
    assert (await house.post(path, take, If_Match='"1"')).status_code == 200
    stale = await house.post(path, take, If_Match='"1"')
    assert (stale.status_code, stale.json()["type"]) == (412, "/problems/stale-version")
    budget = await house.made("budgets", {"department": await house.department(), "period": "2026", "amount": eur("9")})
    change = {"amount": eur("10.00")}
    patch = await house.world.admin.patch(f"/v1/budgets/{budget['id']}", json=change)
    assert patch.status_code == 428
    patch = await house.world.admin.patch(f"/v1/budgets/{budget['id']}", json=change, headers={"If-Match": '"1"'})
    assert (patch.status_code, patch.json()["amount"], patch.headers["etag"]) == (200, eur("10.00"), '"2"')


async def test_a_budget_is_shown_with_its_period_and_rows_and_is_upserted_whole(house: House) -> None:
    department = await house.department()
    body: dict[str, Any] = {"department": department, "period": "2026-Q1", "amount": eur("90.00")}
    first = await house.put("budgets/ext:plan:q1", body)
    assert first.status_code == 201
    assert first.json()["period"] == {"label": "2026-Q1", "from": "2026-01-01", "to": "2026-04-01"}
    assert [row["amount"] for row in first.json()["rows"]] == [eur("30.00")] * 3
    again = await house.put("budgets/ext:plan:q1", body | {"period": {"from": "2026-01-01", "to": "2026-04-01"}})
    assert (again.status_code, again.headers["etag"]) == (200, '"1"')
    moved = await house.put("budgets/ext:plan:q1", body | {"period": "2026-Q2"})
    assert (moved.status_code, moved.json()["errors"][0]["pointer"]) == (409, "/period")
    rows: list[dict[str, Any]] = [
        {"on": "2026-01-01", "amount": eur("50.00")},
        {"on": "2026-03-01", "amount": eur("39.00")},
    ]
    problem = (await house.put("budgets/ext:plan:q1", body | {"rows": rows})).json()
    assert (problem["rule"], problem["detail"]) == (
        "rows-do-not-sum",
        "The rows sum to 89.00 EUR; the budget is 90.00 EUR.",
    )
    overlap = await house.refused("budgets", body | {"period": "2026"})
    assert overlap["rule"] == "budgets-overlap"


async def test_an_expense_is_refused_warned_about_or_taken_as_its_budget_says(house: House) -> None:
    answers = {}
    for on_overrun in ("stop", "warn", "ignore"):
        department = await house.department()
        plan = {"department": department, "period": "2026", "amount": eur("100.00"), "on_overrun": on_overrun}
        await house.made("budgets", plan)
        spend = {"department": department, "kind": "travel", "amount": eur("60.00"), "on": "2026-05-01"}
        first = await house.made("expenses", spend)
        assert (first["warning"], first["kind"]) == (None, "travel")
        answers[on_overrun] = (await house.post("expenses", spend)).json()
    assert answers["stop"]["rule"] == "budget-overrun"
    assert (
        "100.00 EUR and 60.00 EUR of it is spent; 60.00 EUR is more than the 40.00 EUR left"
        in (answers["stop"]["detail"])
    )
    assert answers["warn"]["warning"].endswith("with this 120.00 EUR is spent, 20.00 EUR too much.")
    assert answers["ignore"]["warning"] is None


async def test_other_currencies_count_in_a_budget_at_the_rates_of_their_days_and_months_are_watched_too(
    each_house: House,
) -> None:
    house, department = each_house, await each_house.department()
    plan = {"department": department, "period": "2026", "amount": eur("1200.00"), "on_overrun": "stop",
            "on_month_overrun": "warn"}  # fmt: skip
    made = await house.made("budgets", plan)
    assert made["on_month_overrun"] == "warn"
    spend = {"department": department, "kind": "travel", "on": "2026-02-01"}
    francs = {"amount": "150.00", "currency": "CHF"}
    unknown = await house.refused("expenses", spend | {"amount": francs})
    assert (unknown["rule"], "CHF to EUR is known for 2026-02-01" in unknown["detail"]) == (
        "budget-in-another-currency", True
    )  # fmt: skip
    await house.made("rates", {"from": "CHF", "to": "EUR", "on": "2026-01-01", "rate": "2"})
    warned = await house.made("expenses", spend | {"amount": francs})
    assert warned["warning"] == (
        "The budget of 2026 plans 200.00 EUR before 2026-03-01;"
        " with this 300.00 EUR is spent by then, 100.00 EUR too much."
    )
    stopped = await house.refused("expenses", spend | {"amount": eur("900.01"), "on": "2026-12-01"})
    assert (stopped["rule"], "300.00 EUR of it is spent" in stopped["detail"]) == ("budget-overrun", True)
    change = {"on_month_overrun": "stop"}
    path = f"/v1/budgets/{made['id']}"
    assert (await house.world.admin.patch(path, json=change, headers={"If-Match": "*"})).status_code == 200
    assert (await house.refused("expenses", spend | {"amount": eur("1.00")}))["rule"] == "month-overrun"


async def test_money_that_comes_back_makes_room_in_the_budget_again(house: House) -> None:
    department = await house.department()
    plan = {"department": department, "period": "2026", "amount": eur("100.00"), "on_overrun": "stop"}
    await house.made("budgets", plan)
    spend = {"department": department, "kind": "travel", "amount": eur("100.00"), "on": "2026-05-01"}
    expense = await house.made("expenses", spend)
    await house.refused("expenses", spend)
    await house.made(f"expenses/{expense['id']}/reverse", {"on": "2026-05-02"})
    await house.made("expenses", spend)
    listed = await house.get("expenses", department=department, kind="travel")
    assert [each["reversed_on"] for each in listed["items"]] == ["2026-05-02", None]


async def test_a_target_is_set_once_changed_and_closed(house: House) -> None:
    body: dict[str, Any] = {
        "metric": "margin",
        "scope": {"level": "team", "ref": house.north},
        "period": "2026-Q1",
        "value": eur("300.00"),
        "distribution": [
            {"on": "2026-01-01", "value": eur("100.00"), "share": None},
            {"on": "2026-02-01", "value": eur("200.00"), "share": None},
        ],
    }
    target = (await house.put("targets/ext:plan:t1", body)).json()
    assert {name: target[name] for name in ("metric", "scope", "value", "distribution")} == {
        name: body[name] for name in ("metric", "scope", "value", "distribution")
    }
    assert (await house.put("targets/ext:plan:t1", body)).headers["etag"] == '"1"'
    window = {"from": "2026-01-01", "to": "2026-04-01"}
    duplicate = await house.refused("targets", body | {"period": window})
    assert (duplicate["rule"], duplicate["errors"][0]["pointer"]) == ("target-exists", "/period")
    await house.made("targets", body | {"period": "2026", "distribution": []})
    headers = {"If-Match": '"1"'}
    change = {"value": eur("400.00"), "distribution": []}
    changed = await house.world.admin.patch(f"/v1/targets/{target['id']}", json=change, headers=headers)
    assert (changed.json()["value"], changed.json()["distribution"]) == (eur("400.00"), [])
    closed = await house.made(f"targets/{target['id']}/close", {"on": "2026-04-01"})
    assert closed["closed_on"] == "2026-04-01"
    assert (await house.refused(f"targets/{target['id']}/close", {}))["rule"] == "target-is-closed"
    shown = await house.get("targets", level="team", ref=house.north, metric="margin", on="2026-03-31")
    assert [each["closed_on"] for each in shown["items"]] == [None, None]


async def test_a_product_without_a_cost_in_the_currency_of_the_sale_has_no_known_cost(house: House) -> None:
    deal = await house.deal()
    line = {"product": house.gadget, "quantity": "2", "unit_price": {"amount": "50.00", "currency": "USD"}}
    dollars = await house.made(f"deals/{deal['id']}/win", {"on": "2026-02-01", "lines": [line]})
    assert (dollars["cost"], dollars["lines"][0]["cost"]) == (None, None)
    deal = await house.deal()
    line["unit_price"] = eur("50.00")
    assert (await house.made(f"deals/{deal['id']}/win", {"on": "2026-02-01", "lines": [line]}))["cost"] == eur("60.00")
