"""Finance and accounting, line by line: each correction counts on its day, and no figure is 0 that is not known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.targets.bodies import eur
from tests.targets.conftest import House, settle_in
from tests.world import World

AGES = ("not_due", "1-30", "31-60", "61-90", "over_90")
Shown = dict[str, Any]


@pytest.fixture
async def books(world: World) -> House:
    """A house on each kind of engines whose books are empty."""
    return await settle_in(world)


async def seen(house: House, view: str, after: Any, period: str, **query: str) -> Shown:
    found: Shown = (await house.world.settled(f"/v1/views/{view}", after, period=period, **query))["figures"]
    return found


def money(figures: Shown, *keys: str) -> list[str | None]:
    return [None if figures[key] is None else figures[key]["amount"] for key in keys]


async def invoiced(house: House, value: str = "1000.00", on: str = "2026-02-10", due_on: str = "2026-03-12") -> str:
    invoice = await house.invoice(await house.won(value), value, on, due_on=due_on)
    return str(invoice["id"])


async def test_credit_notes_and_write_offs_take_from_what_is_outstanding_on_their_day(books: House) -> None:
    invoice = await invoiced(books)
    await books.made(f"invoices/{invoice}/credit", {"amount": eur("100.00"), "on": "2026-03-01"})
    last = await books.post(f"invoices/{invoice}/write-off", {"amount": eur("40.00"), "on": "2026-04-01"})
    keys = ("invoiced", "credited", "written_off", "outstanding")
    for period, found in (("2026-02", ["1000.00", "0.00", "0.00", "1000.00"]),
                          ("2026-03", ["0.00", "100.00", "0.00", "900.00"]),
                          ("2026-04", ["0.00", "0.00", "40.00", "860.00"])):  # fmt: skip
        assert money(await seen(books, "accounting", last, period), *keys) == found, period


async def test_what_is_taken_back_of_them_is_outstanding_again_from_its_day_on(books: House) -> None:
    invoice = await invoiced(books)
    path = f"invoices/{invoice}"
    await books.made(f"{path}/credit", {"amount": eur("100.00"), "on": "2026-03-01"})
    await books.made(f"{path}/write-off", {"amount": eur("900.00"), "on": "2026-04-01"})
    mistake = {"amount": eur("60.00"), "on": "2026-05-02", "reason": "A mistake"}
    back = await books.made(f"{path}/cancel-credit", mistake)
    assert (back["outstanding"], back["credits"][-1]) == (
        eur("60.00"), {"on": "2026-05-02", "amount": eur("-60.00"), "reason": "A mistake"}
    )  # fmt: skip
    await books.made(f"{path}/recover", {"amount": eur("400.00"), "on": "2026-06-01", "reason": "Paid after all"})
    receipt = {"invoice": invoice, "amount": eur("400.00"), "on": "2026-06-03"}
    last = await books.post("receipts", receipt)
    assert last.json()["applied"] == eur("400.00")
    keys = ("invoiced", "credited", "written_off", "received", "outstanding")
    for period, found in (
        ("2026-03", ["0.00", "100.00", "0.00", "0.00", "900.00"]),
        ("2026-04", ["0.00", "0.00", "900.00", "0.00", "0.00"]),
        ("2026-05", ["0.00", "-60.00", "0.00", "0.00", "60.00"]),
        ("2026-06", ["0.00", "0.00", "-400.00", "400.00", "60.00"]),
        ("2026", ["1000.00", "40.00", "500.00", "400.00", "60.00"]),
    ):  # fmt: skip
        assert money(await seen(books, "accounting", last, period), *keys) == found, period
    for period, there in (("2026-03", 1), ("2026-04", 0), ("2026-05", 1), ("2026-06", 1)):
        rows = await books.world.settled("/v1/views/accounting/rows", last, period=period, figure="outstanding")
        assert len(rows["items"]) == there, period
    certificate = await books.get("consistency", fresh="true")
    assert [each for each in certificate["invariants"] if not each["holds"]] == []
    history = await books.get(f"{path}/history")
    assert "A mistake" not in str(history)
    await books.made(f"{path}/cancel-credit", {"amount": eur("40.00"), "on": "2026-06-04", "reason": "All of it"})
    problem = await books.refused(f"{path}/recover", {"amount": eur("500.01"), "on": "2026-06-04", "reason": "More"})
    assert problem["rule"] == "more-than-taken-off"


async def test_a_voided_invoice_counts_nowhere_not_even_in_the_months_before_it_was_voided(books: House) -> None:
    invoice = await invoiced(books)
    last = await books.post(f"invoices/{invoice}/void", {"on": "2026-05-01"})
    figures = await seen(books, "accounting", last, "2026-02")
    assert money(figures, "invoiced", "outstanding", "not_yet_invoiced") == ["0.00", "0.00", "1000.00"]


async def test_a_reopened_deal_has_no_revenue_and_an_amended_one_the_difference_on_its_day(books: House) -> None:
    gone, kept = await books.won("300.00"), await books.won("500.00")
    await books.made(f"deals/{gone['id']}/reopen", {"on": "2026-03-01"})
    amend = {"on": "2026-04-10", "value": eur("450.00"), "reason": "Fewer seats"}
    last = await books.post(f"deals/{kept['id']}/amend", amend)
    for period, revenue in (("2026-02", "500.00"), ("2026-04", "-50.00"), ("2026", "450.00")):
        assert money(await seen(books, "finance", last, period), "revenue") == [revenue]
        assert money(await seen(books, "accounting", last, period), "not_yet_invoiced") == [revenue]


async def test_funds_generated_are_receipts_and_a_reversed_one_goes_on_its_day(books: House) -> None:
    invoice = await invoiced(books)
    receipt = {"invoice": invoice, "amount": eur("600.00"), "on": "2026-02-20"}
    booked = await books.made("receipts", receipt)
    await books.made(f"receipts/{booked['id']}/reverse", {"on": "2026-03-05"})
    last = await books.post("receipts", receipt | {"amount": eur("250.00"), "on": "2026-03-10"})
    keys = ("received", "funds_generated", "outstanding")
    assert money(await seen(books, "accounting", last, "2026-02"), *keys) == ["600.00", "600.00", "400.00"]
    assert money(await seen(books, "accounting", last, "2026-03"), *keys) == ["-350.00", "-350.00", "750.00"]
    assert money(await seen(books, "accounting", last, "2026-Q1"), *keys) == ["250.00", "250.00", "750.00"]


async def test_what_is_outstanding_is_as_old_as_it_was_at_the_end_of_the_period(books: House) -> None:
    invoice = await invoiced(books, due_on="2026-03-12")
    last = await books.post("receipts", {"invoice": invoice, "amount": eur("400.00"), "on": "2026-05-20"})
    for period, age, amount in (("2026-02", "not_due", "1000.00"), ("2026-03", "1-30", "1000.00"),
                                ("2026-04", "31-60", "1000.00"), ("2026-05", "61-90", "600.00"),
                                ("2026-06", "over_90", "600.00")):  # fmt: skip
        by_age = (await seen(books, "accounting", last, period))["outstanding_by_age"]
        assert {key: each["amount"] for key, each in by_age.items()} == dict.fromkeys(AGES, "0.00") | {age: amount}


async def test_budgets_plan_by_their_monthly_rows_and_say_what_they_allocate_of_the_funds(books: House) -> None:
    department = await books.department()
    rows = [{"on": f"2026-0{month}-01", "amount": eur(amount)}
            for month, amount in ((1, "100.00"), (2, "50.00"), (3, "30.00"))]  # fmt: skip
    budget = {"department": department, "period": "2026-Q1", "amount": eur("180.00"), "rows": rows}
    await books.made("budgets", budget)
    invoice = await invoiced(books)
    last = await books.post("receipts", {"invoice": invoice, "amount": eur("70.00"), "on": "2026-02-20"})
    keys = ("planned", "allocated", "funds_generated", "unallocated")
    assert money(await seen(books, "accounting", last, "2026-01"), *keys) == ["100.00", "100.00", "0.00", "-100.00"]
    assert money(await seen(books, "accounting", last, "2026-02"), *keys) == ["50.00", "50.00", "70.00", "20.00"]
    off = await books.refused("budgets", budget | {"period": "2025-Q1", "amount": eur("181.00")}, 422)
    assert "2026-01-01" in str(off) or "180.00" in str(off)


async def test_an_overrun_is_stopped_warned_of_or_ignored_and_counted_where_it_happened(books: House) -> None:
    expense = {"kind": "travel", "amount": eur("120.00"), "on": "2026-02-03"}
    for way, status, warned in (("stop", 409, False), ("warn", 201, True), ("ignore", 201, False)):
        department = await books.department()
        budget = {"department": department, "period": "2026-Q1", "amount": eur("100.00"), "on_overrun": way}
        last = await books.post("budgets", budget)
        answer = await books.post("expenses", expense | {"department": department})
        assert answer.status_code == status, answer.text
        if status == 409:
            for number in ("100.00 EUR", "120.00 EUR"):
                assert number in answer.json()["detail"]
        else:
            last = answer
            assert bool(answer.json()["warning"]) is warned
        figures = await seen(books, "accounting", last, "2026-Q1", department=department)
        assert figures["overruns"] == (0 if way == "stop" else 1)
        assert money(figures, "left") == ["100.00" if way == "stop" else "-20.00"]


async def test_an_overrun_is_seen_month_by_month_and_in_every_currency_as_the_budget_saw_it(books: House) -> None:
    department = await books.department()
    rows = [{"on": f"2026-{month:02d}-01", "amount": eur(amount)}
            for month, amount in ((1, "100.00"), (2, "50.00"), (3, "150.00"))]  # fmt: skip
    await books.made("budgets", {"department": department, "period": "2026-Q1", "amount": eur("300.00"), "rows": rows,
                                 "on_overrun": "warn", "on_month_overrun": "warn"})  # fmt: skip

    async def spent(amount: str, on: str, currency: str = "EUR") -> Any:
        amounts = {"amount": amount, "currency": currency}
        body = {"department": department, "kind": "travel", "on": on, "amount": amounts}
        return await books.post("expenses", body)

    async def overruns(last: Any, period: str) -> tuple[int, int]:
        figures = await seen(books, "accounting", last, period, department=department)
        return figures["overruns"], figures["month_overruns"]

    last = await spent("90.00", "2026-01-10")
    assert await overruns(last, "2026-01") == (0, 0)
    # No rate leads from these 100 CHF to the budget: nothing is known to be overrun.
    last = await spent("100.00", "2026-01-11", "CHF")
    assert await overruns(last, "2026-01") == (0, 0)
    view = await books.world.settled("/v1/views/accounting", last, period="2026-01", department=department)
    assert "CHF" in {each["figure"]: each["why"] for each in view["notes"]}["month_overruns"]
    await books.made("rates", {"from": "CHF", "to": "EUR", "on": "2026-01-01", "rate": "0.50"})
    # 90 + 50 of the 100 until February; 160 of the 150 until March, which a warning says as well.
    last = await spent("20.00", "2026-02-01")
    assert "160.00 EUR" in last.json()["warning"]
    assert await overruns(last, "2026-01") == (0, 1)
    assert await overruns(last, "2026-02") == (0, 1)
    assert await overruns(last, "2026-03") == (0, 0)
    last = await spent("141.00", "2026-03-01")
    assert await overruns(last, "2026-03") == (1, 0)
    assert await overruns(last, "2026-Q1") == (1, 1)
    query = {"period": "2026-Q1", "department": department, "figure": "month_overruns"}
    (row,) = (await books.world.settled("/v1/views/accounting/rows", last, **query))["items"]
    assert (row["over"], row["until"]) == (eur("10.00"), "2026-03-01")


async def test_expenses_are_told_by_department_and_kind_and_both_and_what_came_back_is_taken_off(books: House) -> None:
    one, other = await books.department(), await books.department()
    for department, kind, amount in ((one, "travel", "10.00"), (one, "licences", "20.00"), (other, "travel", "40.00")):
        body = {"department": department, "kind": kind, "amount": eur(amount), "on": "2026-02-03"}
        booked = await books.made("expenses", body)
    last = await books.post(f"expenses/{booked['id']}/reverse", {"on": "2026-03-01"})
    by_kind = await books.world.settled("/v1/views/accounting", last, period="2026-02", breakdown="kind")
    rows = {row["ref"]: row["figures"]["spent"]["amount"] for row in by_kind["breakdown"]["rows"]}
    assert rows == {"licences": "20.00", "travel": "50.00"}
    within = await books.world.settled("/v1/views/accounting", last, period="2026-02", department=one, breakdown="kind")
    rows = {row["ref"]: row["figures"]["spent"]["amount"] for row in within["breakdown"]["rows"]}
    assert rows == {"licences": "20.00", "travel": "10.00"}
    assert money(await seen(books, "accounting", last, "2026-03", department=other), "spent") == ["-40.00"]


async def test_profit_stands_by_product_and_by_customer_and_acquisition_costs_by_new_customer(books: House) -> None:
    second = (await books.made("customers", {"name": "Second"}))["id"]
    for customer, on, quantity, price in ((books.cancity, "2026-01-10", "1", "50.00"),
                                          (books.cancity, "2026-02-10", "2", "100.00"),
                                          (second, "2026-02-12", "1", "20.00")):  # fmt: skip
        deal = await books.deal(customer=customer, product=books.gadget)
        line = {"product": books.gadget, "quantity": quantity, "unit_price": eur(price)}
        won = await books.post(f"deals/{deal['id']}/win", {"on": on, "lines": [line]})
        assert won.status_code == 200, won.text
    spent = {"department": "sales", "kind": "travel", "amount": eur("90.00"), "on": "2026-02-03"}
    last = await books.post("expenses", spent)
    found = await seen(books, "finance", last, "2026-02")
    # A gadget costs 30.00: 200 - 60 of the one, 20 - 30 of the other, who is new.
    keys = ("revenue", "cost_of_sales", "gross_margin", "selling_expense", "contribution", "acquisition_cost")
    assert money(found, *keys) == ["220.00", "90.00", "130.00", "90.00", "40.00", "90.00"]
    assert money(found, "revenue_new_customers", "revenue_existing_customers", "profit_per_customer") == [
        "20.00", "200.00", "65.00"
    ]  # fmt: skip
    assert (found["profitable_customers"], found["unprofitable_customers"]) == (1, 1)
    for dim, margins in (
        ("customer", {books.cancity: "140.00", second: "-10.00"}),
        ("product", {books.gadget: "130.00"}),
    ):
        view = await books.world.settled("/v1/views/finance", last, period="2026-02", breakdown=dim)
        rows = {row["ref"]: row["figures"]["gross_margin"]["amount"] for row in view["breakdown"]["rows"]}
        assert rows == margins, dim


async def test_what_has_no_meaning_by_group_member_or_product_is_not_known_and_says_so(books: House) -> None:
    inner = (await books.made("groups", {"name": "Inner", "team": books.north}))["id"]
    last = await books.post(f"members/{books.ada}/join", {"group": inner, "from": "2026-01-01"})
    await books.world.settled("/v1/deals", last)
    deal = await books.deal(customer=books.cancity, product=books.gadget)
    line = {"product": books.gadget, "quantity": "1", "unit_price": eur("100.00")}
    last = await books.post(f"deals/{deal['id']}/win", {"on": "2026-02-10", "lines": [line]})
    owed = ("invoiced", "received", "outstanding", "outstanding_by_age", "credited", "written_off", "overpaid")
    plans = ("planned", "allocated", "left", "spend_forecast", "overruns", "month_overruns", "unallocated")
    for dim, key in (("group", inner), ("member", books.ada), ("product", books.gadget)):
        for view, known, unknown in (
            ("finance", ("revenue", "cost_of_sales", "gross_margin", "profit_per_customer"), ()),
            ("accounting", (*owed, "funds_generated", "not_yet_invoiced"), plans),
        ):
            shown = await books.world.settled(f"/v1/views/{view}", last, period="2026-02", **{dim: key})
            notes = {note["figure"] for note in shown["notes"]}
            for figure in known:
                assert shown["figures"][figure] is not None, (dim, figure)
            for figure in unknown:
                assert shown["figures"][figure] is None, (dim, figure)
                assert figure in notes, (dim, figure)
    by_customer = await seen(books, "accounting", last, "2026-02", customer=books.cancity)
    assert money(by_customer, "not_yet_invoiced", "invoiced") == ["100.00", "0.00"]
