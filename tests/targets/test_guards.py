"""Rules that several requests could break together: of all that see room at the same moment, only so many get it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import httpx

from tests.targets.bodies import eur
from tests.targets.conftest import House
from tests.world import client_of, token_headers


async def at_once(house: House, path: str, *bodies: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*(house.post(path, body) for body in bodies)))


def statuses(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


async def test_invoices_sent_at_the_same_moment_never_exceed_their_deal_together(each_house: House) -> None:
    deal = await each_house.won("100.00")
    body = {"deal": deal["id"], "amount": eur("40.00"), "on": "2026-02-10"}
    answers = await at_once(each_house, "invoices", *[body] * 8)
    assert statuses(answers) == [201] * 2 + [409] * 6
    assert {answer.json()["rule"] for answer in answers if answer.status_code == 409} == {"invoiced-beyond-value"}


async def test_an_invoice_and_a_reopening_at_the_same_moment_never_both_happen(each_house: House) -> None:
    for _ in range(4):
        deal = await each_house.won("100.00")
        invoice, reopening = await asyncio.gather(
            each_house.post("invoices", {"deal": deal["id"], "amount": eur("40.00"), "on": "2026-02-10"}),
            each_house.post(f"deals/{deal['id']}/reopen", {}),
        )
        assert sorted([invoice.status_code // 100, reopening.status_code // 100]) == [2, 4]


async def test_expenses_booked_at_the_same_moment_never_overrun_a_budget_that_stops(each_house: House) -> None:
    department = await each_house.department()
    plan = {"department": department, "period": "2026", "amount": eur("100.00"), "on_overrun": "stop"}
    await each_house.made("budgets", plan)
    spend = {"department": department, "kind": "travel", "amount": eur("30.00"), "on": "2026-05-01"}
    assert statuses(await at_once(each_house, "expenses", *[spend] * 8)) == [201] * 3 + [409] * 5


async def test_budgets_planned_at_the_same_moment_never_overlap(each_house: House) -> None:
    plan = {"department": await each_house.department(), "amount": eur("100.00")}
    bodies = [plan | {"period": period} for period in ("2026", "2026-Q1", "2026-01", "2026-02", "2026-Q1")]
    answers = await at_once(each_house, "budgets", *bodies)
    made = [answer.json()["period"] for answer in answers if answer.status_code == 201]
    assert made
    edges = sorted((period["from"], period["to"]) for period in made)
    assert all(before[1] <= after[0] for before, after in pairwise(edges))
    assert {answer.status_code for answer in answers} == {201, 409}


async def test_the_same_target_set_at_the_same_moment_is_set_once(each_house: House) -> None:
    scope = {"level": "member", "ref": each_house.ada}
    body = {"metric": "revenue", "scope": scope, "period": "2026-Q1", "value": eur("100.00")}
    assert statuses(await at_once(each_house, "targets", *[body] * 5)) == [201] + [409] * 4


async def test_receipts_booked_at_the_same_moment_settle_an_invoice_once(each_house: House) -> None:
    invoice = await each_house.invoice(await each_house.won("100.00"), "100.00")
    body = {"invoice": invoice["id"], "amount": eur("30.00"), "on": "2026-02-20"}
    answers = await at_once(each_house, "receipts", *[body] * 5)
    assert statuses(answers) == [201] * 5
    applied = sorted(answer.json()["applied"]["amount"] for answer in answers)
    assert applied == ["0.00", "10.00", "30.00", "30.00", "30.00"]
    assert (await each_house.get(f"invoices/{invoice['id']}"))["outstanding"] == eur("0.00")


async def test_credits_proposed_and_approved_at_the_same_moment_are_decided_once(each_house: House) -> None:
    house = each_house
    deal = await house.won("100.00")
    body = {"deal": deal["id"], "credits": [{"member": house.ben, "share": "1"}], "reason": "His"}
    proposed = await at_once(house, "credit-changes", *[body] * 4)
    assert statuses(proposed) == [201] + [409] * 3
    (change,) = [answer.json()["id"] for answer in proposed if answer.status_code == 201]

    async def approves(member: str) -> httpx.Response:
        headers = token_headers(house.world.settings, "credit-approvals:write", member=member)
        async with client_of(house.world.origin, headers) as client:
            return await client.post(f"/v1/credit-changes/{change}/approve", json={})

    approved = await asyncio.gather(*(approves(each) for each in ("mbr_c", "mbr_c", "mbr_d", "mbr_e")))
    assert statuses(approved) == [200] * 2 + [409] * 2
    amended = await house.get(f"deals/{deal['id']}")
    assert (amended["version"], [each["member"] for each in amended["credits"]]) == (deal["version"] + 1, [house.ben])
    (shown,) = (await house.get("credit-changes", deal=deal["id"]))["items"]
    assert len({each["by"] for each in shown["approvals"]}) == 2
