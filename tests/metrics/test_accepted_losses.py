"""What was given up stays among the certificate's reasons; who said why need not be alarmed about it for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from services.metrics.app import service as metrics
from tests.metrics.test_certificate import certificate, settled_verdict
from tests.metrics.test_rebuild import rebuilt
from tests.tools.test_parked_command import held
from tests.world import World

VALUE = {"amount": "10.00", "currency": "EUR"}


@contextmanager
def a_fault_in_the_program(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No event of a deal can be applied."""

    def faulty(fact: object, event: object) -> None:
        raise ValueError("a fault in the program")

    assert metrics.subscriptions is not None
    with monkeypatch.context() as broken:
        broken.setattr(metrics.subscriptions.facts["deal"], "fold", faulty)
        yield


async def a_deal_that_cannot_be_applied(world: World) -> str:
    hired = await world.post("/v1/members", {"name": "Ada", "department": "sales", "starts_on": "2026-01-01"})
    await world.settled("/v1/deals", hired)
    body = {"owner": hired.json()["id"], "opened_on": "2026-01-02", "value": VALUE}
    deal = await world.made("/v1/deals", body)
    await held(world, 1)
    return str(deal["id"])


async def give_up(world: World, deal: str, reason: str | None = None) -> None:
    body = {"reason": reason} if reason else None
    answer = await world.admin.post(f"/v1/parked/deal/{deal}/discard", json=body)
    assert answer.status_code == 204, answer.text


async def accepted(world: World, wanted: bool) -> Any:
    """The certificate once nothing is on its way any more."""
    while True:
        found = await certificate(world)
        if all(owner["shards_verified"] == 64 for owner in found["owners"].values()):
            assert found["accepted"] is wanted, found["reasons"]
            return found


async def test_a_loss_is_accepted_by_a_reason_and_named_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_fault_in_the_program(monkeypatch):
        deal = await a_deal_that_cannot_be_applied(world)
        await give_up(world, deal)
        found = await accepted(world, False)
        assert "1 events of targets were discarded by hand" in found["reasons"]
        await give_up(world, deal, "It was a trial")
        found = await accepted(world, True)
        assert found["verdict"] in ("catching_up", "inconsistent")
        assert found["settled_at"] is not None
        assert any("discarded by hand, each for a reason that is kept" in each for each in found["reasons"])
    shown = (await world.admin.get("/v1/parked")).json()["discarded"]
    assert [(each["subject"], each["reason"], each["by"]) for each in shown] == [
        (f"deal/{deal}", "It was a trial", "tester")
    ]


async def test_another_fault_beside_an_accepted_loss_is_not_covered_by_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_fault_in_the_program(monkeypatch):
        deal = await a_deal_that_cannot_be_applied(world)
        await give_up(world, deal, "It was a trial")
        await accepted(world, True)
        await a_second_deal(world)
        found = await certificate(world)
        assert (found["verdict"], found["accepted"]) == ("inconsistent", False)


async def a_second_deal(world: World) -> None:
    owner = (await world.admin.get("/v1/members")).json()["items"][0]["id"]
    await world.made("/v1/deals", {"owner": owner, "opened_on": "2026-01-02"})
    await held(world, 1)


async def test_what_was_given_up_is_given_up_by_a_rebuild_too_until_it_can_be_applied(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_fault_in_the_program(monkeypatch):
        deal = await a_deal_that_cannot_be_applied(world)
        await give_up(world, deal, "It was a trial")
        assert (await rebuilt(world))["state"] == "adopted"
        await held(world, 0)
        found = await accepted(world, True)
        assert any("1 events of targets were discarded by hand" in each for each in found["reasons"])
    assert (await rebuilt(world))["state"] == "adopted"
    found = await settled_verdict(world, "consistent")
    assert (found["reasons"], found["accepted"]) == ([], False)
    assert (await world.admin.get("/v1/parked")).json()["discarded"] == []
