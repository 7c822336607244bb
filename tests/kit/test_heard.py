"""A write may name somebody of whom word is on its way: the owner is asked before it is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from pydantic_core import from_json

from shared.http import heard
from tests.world import World

PERSON = {"name": "Ada Berg", "department": "sales", "starts_on": "2026-01-01",
          "external": {"source": "crm", "id": "ada"}}  # fmt: skip
DEAL = {"opened_on": "2026-02-01", "value": {"amount": "10.00", "currency": "EUR"}}


def asked_of_teams(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that targets asks teams for."""
    neighbours = world.services["targets"].runtime.extras["neighbours"]
    paths: list[str] = []
    get = neighbours.get

    async def noted(service: str, path: str, **more: Any) -> Any:
        paths.append(path)
        return await get(service, path, **more)

    monkeypatch.setattr(neighbours, "get", noted)
    return paths


@pytest.mark.parametrize("by", ["our id", "their id"])
async def test_a_deal_of_somebody_hired_a_moment_ago_waits_for_word_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    asked = asked_of_teams(world, monkeypatch)
    consumer = world.services["targets"].runtime.consumer
    assert consumer is not None
    async with consumer.turn:
        hired = await world.made("/v1/members", PERSON)
        owner = hired["id"] if by == "our id" else "ext:crm:ada"
        opening = asyncio.create_task(world.post("/v1/deals", DEAL | {"owner": owner}, **{"Idempotency-Key": "k"}))
        async with asyncio.timeout(10):
            while not asked:
                await asyncio.sleep(0.01)
        assert not opening.done()
    opened = await opening
    assert opened.status_code == 201, opened.text
    assert opened.json()["owner"] == hired["id"]
    assert asked == [f"/v1/members/{owner}"]
    # Word of them has come: nobody is asked any more.
    again = await world.post("/v1/deals", DEAL | {"owner": owner})
    assert (again.status_code, len(asked)) == (201, 1)


async def test_somebody_whom_nobody_knows_is_refused_without_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of_teams(world, monkeypatch)
    monkeypatch.setattr(heard, "PATIENCE", 3600.0)
    refused = await world.post("/v1/deals", DEAL | {"owner": "mbr_nobody"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/owner")
    assert asked == ["/v1/members/mbr_nobody"]


async def test_when_no_word_comes_in_time_it_is_refused_and_a_retry_may_succeed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heard, "PATIENCE", 0.0)
    consumer = world.services["targets"].runtime.consumer
    assert consumer is not None
    async with consumer.turn:
        hired = await world.made("/v1/members", PERSON)
        refused = await world.post("/v1/deals", DEAL | {"owner": hired["id"]})
        assert refused.status_code == 422
        assert refused.json()["detail"] == f"/owner: no member {hired['id']} is known here (yet)."
    monkeypatch.setattr(heard, "PATIENCE", 10.0)
    assert (await world.post("/v1/deals", DEAL | {"owner": hired["id"]})).status_code == 201


async def test_an_owner_that_does_not_answer_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbours = world.services["targets"].runtime.extras["neighbours"]

    async def cut_off(*_: Any, **__: Any) -> Any:
        raise httpx.ConnectError("no way there")

    monkeypatch.setattr(neighbours, "get", cut_off)
    refused = await world.post("/v1/deals", DEAL | {"owner": "mbr_nobody"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/owner")


async def sent_in_bulk(world: World, *rows: Any) -> list[int]:
    answer = await world.post("/v1/deals/bulk", list(rows))
    assert answer.status_code == 200, answer.text
    return [from_json(line)["status"] for line in answer.text.splitlines()]


async def test_rows_of_a_bulk_wait_as_a_single_write_does_and_rows_of_the_same_thing_keep_their_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of_teams(world, monkeypatch)
    known = await world.post("/v1/members", PERSON | {"external": {"source": "crm", "id": "ben"}})
    await world.settled("/v1/deals", known)
    consumer = world.services["targets"].runtime.consumer
    assert consumer is not None
    first, second, third = ({"external": {"source": "crm", "id": name}} for name in "123")
    there = (await world.made("/v1/deals", DEAL | third | {"owner": "ext:crm:ben"}))["id"]
    shared = {"on": "2026-03-01", "value": DEAL["value"], "credits": [{"member": "ext:crm:ada", "share": "1"}]}
    async with consumer.turn:
        await world.made("/v1/members", PERSON)
        sending = asyncio.create_task(sent_in_bulk(
            world,
            DEAL | first | {"owner": "ext:crm:ada", "name": "One"},
            {"do": "win", "deal": "ext:crm:1", "on": "2026-03-01", "value": DEAL["value"]},
            DEAL | first | {"owner": "ext:crm:ben", "name": "One and a half"},
            DEAL | second | {"owner": "mbr_nobody"},
            DEAL | second | {"owner": "ext:crm:ben"},
            {"do": "win", "deal": "ext:crm:none", "value": DEAL["value"]},
            # By whichever name: what is decided later is followed by what comes after it.
            {"do": "win", "deal": "ext:crm:3", **shared},
            {"do": "lose", "deal": there, "on": "2026-03-02", "reason": "price"},
        ))  # fmt: skip
        async with asyncio.timeout(10):
            while not asked:
                await asyncio.sleep(0.01)
        assert not sending.done()
    assert await sending == [201, 200, 409, 422, 201, 404, 200, 409]
    won = (await world.admin.get("/v1/deals/ext:crm:1")).json()
    assert (won["status"], won["name"]) == ("won", "One")


async def test_all_of_a_bulk_wait_for_word_that_does_not_come_no_longer_than_one_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asked_of_teams(world, monkeypatch)
    monkeypatch.setattr(heard, "PATIENCE", 0.2)
    consumer = world.services["targets"].runtime.consumer
    assert consumer is not None
    async with consumer.turn:
        names = [f"late {number}" for number in range(5)]
        for name in names:
            await world.made("/v1/members", PERSON | {"external": {"source": "crm", "id": name}})
        assert await sent_in_bulk(world, *(DEAL | {"owner": f"ext:crm:{name}"} for name in names)) == [422] * 5
    assert len(asked) == 1
