"""The certificate says consistent only when it knows, and inconsistent only when it has proof."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from concert.services import SERVICES
from services.metrics.consistency.certificate import Certificate
from services.metrics.facts.deals import DealFact
from services.metrics.facts.money import ExpenseFact
from services.targets.domain.deals import Deal
from services.targets.domain.metrics import BUILT_IN, FROM_READINGS
from shared.application import Service
from shared.bus import Record
from shared.instant import now
from shared.stages import DEFAULTS
from shared.store import Context, Job, Tx
from tests.world import World


async def certificate(world: World) -> Any:
    answer = await world.admin.get("/v1/consistency", params={"fresh": "true"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def settled_verdict(world: World, wanted: str, seconds: float = 15) -> Any:
    """The certificate once it says what is wanted; when the time is over, what it says instead fails the test."""
    over = asyncio.get_running_loop().time() + seconds
    while (found := await certificate(world))["verdict"] != wanted:
        if asyncio.get_running_loop().time() > over:
            pytest.fail(f"the certificate says {found['verdict']}: {found['reasons']}")
        await asyncio.sleep(0.05)
    return found


async def a_won_deal(world: World) -> Any:
    hired = await world.post("/v1/members", {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"})
    await world.settled("/v1/deals", hired)
    deal = await world.made("/v1/deals", {"owner": hired.json()["id"], "opened_on": "2026-01-02"})
    value = {"amount": "10.00", "currency": "EUR"}
    return await world.post(f"/v1/deals/{deal['id']}/win", {"on": "2026-01-03", "value": value})


async def test_with_everything_applied_it_says_consistent_and_verified_every_shard(world: World) -> None:
    won = await a_won_deal(world)
    await world.settled("/v1/views", won, period="2026")
    found = await settled_verdict(world, "consistent")
    assert found["reasons"] == []
    assert all(each["holds"] for each in found["invariants"])
    assert {each["class"] for each in found["invariants"]} >= {"A", "C"}
    assert all(owner["shards_verified"] == 64 for owner in found["owners"].values())
    given = len(BUILT_IN) + len(FROM_READINGS) + len(DEFAULTS)
    assert found["owners"]["targets"]["known"] == found["owners"]["targets"]["applied"] == 2 + given


async def test_with_a_relay_stopped_it_says_catching_up_although_the_log_shows_no_lag(world: World) -> None:
    # What is there from the beginning is told first.
    await settled_verdict(world, "consistent")
    relay = world.services["targets"].runtime.relay
    assert relay is not None
    relay.pause(True)
    await a_won_deal(world)
    found = await certificate(world)
    assert found["verdict"] == "catching_up"
    assert "2 events of targets are not applied yet" in found["reasons"]
    relay.pause(False)
    await settled_verdict(world, "consistent")


async def test_with_an_owner_silent_it_never_says_consistent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await settled_verdict(world, "consistent")
    keeper: Certificate = world.services["metrics"].runtime.extras["certificate"]
    ask = keeper._books_of

    async def silent(owner: str) -> dict[str, Any] | None:
        return None if owner == "meetings" else await ask(owner)

    monkeypatch.setattr(keeper, "_books_of", silent)
    found = await certificate(world)
    assert found["verdict"] == "catching_up"
    assert "meetings does not answer" in found["reasons"]


async def test_with_an_event_parked_it_says_inconsistent_and_which(world: World) -> None:
    await settled_verdict(world, "consistent")
    headers = (("ce_id", "ab" * 16), ("ce_type", "concert.targets.deal-won.v1"), ("ce_source", "/targets"),
               ("ce_subject", "deal/deal_x"), ("ce_sequence", "1"), ("ce_time", "2026-01-01T00:00:00Z"))  # fmt: skip
    await world.bus.publish([Record("concert.targets", "deal/deal_x", b'{"on": "never"}', headers)])
    found = await settled_verdict(world, "inconsistent")
    assert found["parked"] == 1
    assert any("deal/deal_x@1 is parked" in reason for reason in found["reasons"])
    other = await a_won_deal(world)
    view = await world.settled("/v1/views/sales", other, period="2026")
    assert view["figures"]["revenue"]["amount"] == "10.00"
    assert view["as_of"]["incomplete"] == 1


async def test_with_one_row_of_a_view_falsified_by_hand_it_says_inconsistent_and_where(world: World) -> None:
    won = await a_won_deal(world)
    await world.settled("/v1/views", won, period="2026")
    await settled_verdict(world, "consistent")
    store = world.services["metrics"].runtime.store

    async def falsify(tx: Tx) -> None:
        fact = (await tx.all(DealFact, sa.select(DealFact)))[0]
        fact.value += 1
        tx.put(fact)

    await store.write(Job(falsify, Context(now())))
    found = await certificate(world)
    assert found["verdict"] == "inconsistent"
    assert "sales revenue = finance revenue does not hold" in found["reasons"]
    broken = next(each for each in found["invariants"] if each["name"] == "sales revenue = finance revenue")
    assert broken["difference"] == [{"amount": "-0.01", "currency": "EUR"}]


async def test_the_books_prove_a_total_that_was_falsified_on_both_sides_of_the_sums(world: World) -> None:
    won = await a_won_deal(world)
    await world.settled("/v1/views", won, period="2026")
    await settled_verdict(world, "consistent")

    async def falsify(tx: Tx) -> None:
        fact = (await tx.all(DealFact, sa.select(DealFact)))[0]
        fact.total += 1
        tx.put(fact)

    await world.services["metrics"].runtime.store.write(Job(falsify, Context(now())))
    found = await certificate(world)
    assert found["verdict"] == "inconsistent"
    assert any(reason.startswith("the books of targets differ: deal in shard") for reason in found["reasons"])


async def test_versions_that_differ_while_nothing_is_on_its_way_are_proof_however_lately_they_were_equal(
    world: World,
) -> None:
    won = await a_won_deal(world)
    await world.settled("/v1/views", won, period="2026")
    await settled_verdict(world, "consistent")

    async def falsify(tx: Tx) -> None:
        deal = (await tx.all(Deal, sa.select(Deal)))[0]
        deal.mark += 1
        tx.put(deal)

    await world.services["targets"].runtime.store.write(Job(falsify, Context(now())))
    found = await settled_verdict(world, "inconsistent")
    (reason,) = found["reasons"]
    assert reason.startswith("the books of targets differ: deal in shard")


@pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)
def test_nothing_stands_twice_in_the_books_of_an_owner(service: Service) -> None:
    assert len(set(service.owned)) == len(service.owned)


LATEST = DealFact.__table__.c.closed_on == date(2026, 2, 1)  # type: ignore[attr-defined]
CUSTOMERS_END = "customers at the end = start + new + reactivated - lost"
SELLING = "selling expense in finance = sales department spend in accounting"


async def test_customers_are_those_who_came_and_did_not_go(world: World) -> None:
    hired = await world.post("/v1/members", {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"})
    value = {"amount": "10.00", "currency": "EUR"}
    # Won; won and lost; won, lost and won again on the day of the loss; never won.
    lives: tuple[list[str], ...] = (["01-03"], ["01-03", "-02-01"], ["01-03", "-02-01", "02-01"], [])
    for number, life in enumerate(lives):
        customer = await world.made("/v1/customers", {"name": f"Customer {number}"})
        for day in life:
            if day.startswith("-"):
                lost = await world.post(f"/v1/customers/{customer['id']}/lose", {"on": f"2026{day}"})
                assert lost.status_code == 200, lost.text
                continue
            deal = {"owner": hired.json()["id"], "opened_on": "2026-01-02", "customer": customer["id"]}
            opened = await world.made("/v1/deals", deal)
            won = await world.post(f"/v1/deals/{opened['id']}/win", {"on": f"2026-{day}", "value": value})
            assert won.status_code == 200, won.text
    spent = {"department": "sales", "amount": value, "on": "2026-01-05", "kind": "travel"}
    last = await world.post("/v1/expenses", spent)
    assert last.status_code == 201, last.text
    await world.settled("/v1/views", last, period="2026")
    found = await settled_verdict(world, "consistent")
    sides = {each["name"]: (each["left_value"], each["right_value"]) for each in found["invariants"]}
    assert sides[CUSTOMERS_END] == (2, 2)
    assert sides[SELLING] == ([value], [value])

    async def falsify(tx: Tx) -> None:
        deal = (await tx.all(DealFact, sa.select(DealFact).where(LATEST).limit(1)))[0]
        deal.closed_on = date(2026, 1, 3)
        tx.put(deal)
        expense = (await tx.all(ExpenseFact, sa.select(ExpenseFact)))[0]
        expense.amount += 1
        tx.put(expense)

    await world.services["metrics"].runtime.store.write(Job(falsify, Context(now())))
    found = await certificate(world)
    assert found["verdict"] == "inconsistent"
    broken = {each["name"] for each in found["invariants"] if not each["holds"]}
    assert {CUSTOMERS_END, SELLING} <= broken
