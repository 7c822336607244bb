"""What a training costs is an expense of its member's department: in hr, in accounting, and in the certificate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from services.metrics.facts.money import ExpenseFact
from services.targets import reactions
from services.targets.domain.expenses import Expense
from shared.events import Envelope
from shared.instant import now
from shared.postage import envelope_of
from shared.store import Context, Job, Tx
from tests.metrics.test_certificate import certificate, settled_verdict
from tests.world import World

pytestmark = pytest.mark.embedded_by_day

EFFECT = "training cost in hr = expense in accounting"


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def a_training(world: World, **member: Any) -> str:
    hired = {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"} | member
    ada = (await world.made("/v1/members", hired))["id"]
    course = (await world.made("/v1/courses", {"name": "Negotiating", "cost": euros("100.00")}))["id"]
    training: str = (await world.made("/v1/trainings", {"member": ada, "course": course, "on": "2026-02-01"}))["id"]
    return training


async def expenses(world: World, after: httpx.Response | None = None) -> list[dict[str, Any]]:
    """The expenses that targets has made, once it knows of a training."""
    query = {"after": after.headers["concert-version"]} if after is not None else {}
    answer = await world.admin.get("/v1/expenses", params=query, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def effect_of(world: World) -> dict[str, Any]:
    found = await certificate(world)
    line: dict[str, Any] = next(each for each in found["invariants"] if each["name"] == EFFECT)
    return line | {"verdict": found["verdict"], "reasons": found["reasons"]}


async def figures(world: World, period: str = "2026-02") -> tuple[Any, Any, Any]:
    views = (await world.admin.get("/v1/views", params={"period": period})).json()["views"]
    hr, accounting, finance = (views[name]["figures"] for name in ("hr", "accounting", "finance"))
    return hr["training_cost"], accounting["training_expense"], finance["selling_expense"]


async def test_a_completed_training_is_an_expense_in_every_view(world: World) -> None:
    training = await a_training(world)
    done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
    (expense,) = await expenses(world, done)
    told = {name: expense[name] for name in ("department", "kind", "amount", "on", "cause")}
    assert told == {
        "department": "sales", "kind": "training", "amount": euros("100.00"), "on": "2026-02-10",
        "cause": f"training/{training}",
    }  # fmt: skip
    await settled_verdict(world, "consistent")
    assert await figures(world) == (euros("100.00"),) * 3
    line = await effect_of(world)
    assert (line["class"], line["holds"], line["pending"]) == ("B", True, [])
    assert line["left_value"] == line["right_value"] == [euros("100.00")]


async def test_a_correction_takes_the_place_of_what_was_spent(world: World) -> None:
    training = await a_training(world)
    await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
    path = f"/v1/trainings/{training}/correct"
    for correction, february, march in (
        ({"cost": euros("80.00")}, "80.00", "0.00"),
        ({"score_after": 90}, "80.00", "0.00"),
        ({"on": "2026-03-01"}, "0.00", "80.00"),
        ({"cost": None}, "0.00", "0.00"),
        ({"cost": euros("70.00")}, "0.00", "70.00"),
    ):
        corrected = await world.post(path, correction)
        assert corrected.status_code == 200, corrected.text
        await expenses(world, corrected)
        await settled_verdict(world, "consistent")
        assert await figures(world) == (euros(february),) * 3
        assert await figures(world, "2026-03") == (euros(march),) * 3
    standing = [each["amount"] for each in await expenses(world) if each["reversed_on"] is None]
    assert standing == [euros("70.00")]


async def test_what_follows_from_a_training_is_not_reversed_by_hand(world: World) -> None:
    training = await a_training(world)
    done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
    (expense,) = await expenses(world, done)
    refused = await world.post(f"/v1/expenses/{expense['id']}/reverse", {"on": "2026-02-11"})
    assert refused.status_code == 409
    assert f"follows from training {training}" in refused.json()["detail"]


async def test_no_budget_stops_what_is_spent_already_but_it_is_warned_of(world: World) -> None:
    budget = {"department": "sales", "period": "2026-Q1", "amount": euros("50.00"), "on_overrun": "stop"}
    await world.made("/v1/budgets", budget)
    training = await a_training(world)
    done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
    (expense,) = await expenses(world, done)
    assert "100.00 EUR is spent, 50.00 EUR too much" in expense["warning"]
    await settled_verdict(world, "consistent")


async def test_what_is_heard_again_from_the_beginning_changes_nothing(world: World) -> None:
    training = await a_training(world)
    done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
    for cost in (euros("80.00"), None, euros("70.00")):
        done = await world.post(f"/v1/trainings/{training}/correct", {"cost": cost})
    before = await expenses(world, done)
    assert [each["amount"]["amount"] for each in before if each["reversed_on"] is None] == ["70.00"]
    heard = [envelope async for envelope in told(world, f"training/{training}")]
    assert len(heard) == 4

    async def again(tx: Tx) -> None:
        for envelope in heard:
            await reactions.bear_the_cost(tx, envelope.open(), envelope)

    await world.services["targets"].runtime.store.write(Job(again, Context(now())))
    assert await expenses(world) == before


async def told(world: World, subject: str) -> AsyncIterator[Envelope]:
    """What teams has told of the end of a training."""
    batches: Any = world.bus.messages(["concert.teams"], {})
    async with aclosing(batches):
        async for batch in batches:
            if not batch:
                return
            for message in batch:
                envelope = envelope_of(message.record)
                if envelope.subject == subject and envelope.type.startswith("concert.teams.training-co"):
                    yield envelope


async def test_with_targets_not_listening_the_effect_is_pending_and_listed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = await a_training(world)
    await settled_verdict(world, "consistent")
    consumer = world.services["targets"].runtime.consumer
    assert consumer is not None
    async with consumer.turn:
        done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
        await world.settled("/v1/views", done, period="2026-02")
        line = await effect_of(world)
        assert line["verdict"] == "catching_up"
        assert line["holds"]
        assert line["pending"] == [{"cause": f"training/{training}", "amount": euros("100.00")}]
        assert any("effects are pending" in reason for reason in line["reasons"])
    await settled_verdict(world, "consistent")
    assert (await effect_of(world))["pending"] == []


async def test_when_its_owner_knows_the_cause_and_has_no_effect_it_is_inconsistent(world: World) -> None:
    training = await a_training(world)
    told = world.services["targets"].service.subscriptions
    assert told is not None
    kept = dict(told.reactions)
    told.reactions.clear()
    try:
        done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
        await expenses(world, done)
        await world.settled("/v1/views", done, period="2026-02")
        found = await settled_verdict(world, "inconsistent")
    finally:
        told.reactions.update(kept)
    missing = f"{EFFECT}: training/{training}@2 is known where its effect belongs, and has none that is right"
    assert missing in found["reasons"]


async def test_an_effect_that_came_twice_is_inconsistent(world: World) -> None:
    training = await a_training(world)
    done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
    await expenses(world, done)
    await settled_verdict(world, "consistent")

    async def twice(tx: Tx) -> None:
        first = (await tx.all(Expense, sa.select(Expense)))[0]
        again = Expense.follow(
            f"training/{training}", 9, department=first.department, spent_for=first.spent_for, amount=first.amount,
            on=first.on, room=None, id="exp_again", externals={},
        )  # fmt: skip
        tx.save(*again)

    await world.services["targets"].runtime.store.write(Job(twice, Context(now())))
    await settled_verdict(world, "inconsistent")
    line = await effect_of(world)
    assert not line["holds"]
    assert line["difference"] == [euros("-100.00")]


async def test_a_falsified_expense_of_the_views_is_not_called_consistent(world: World) -> None:
    training = await a_training(world)
    done = await world.post(f"/v1/trainings/{training}/complete", {"on": "2026-02-10"})
    await expenses(world, done)
    await settled_verdict(world, "consistent")

    async def falsify(tx: Tx) -> None:
        fact = (await tx.all(ExpenseFact, sa.select(ExpenseFact)))[0]
        fact.cause = "training/trn_nobody"
        tx.put(fact)

    await world.services["metrics"].runtime.store.write(Job(falsify, Context(now())))
    line = await effect_of(world)
    assert line["verdict"] != "consistent"
    assert {each["amount"]["amount"] for each in line["pending"]} == {"100.00", "-100.00"}
