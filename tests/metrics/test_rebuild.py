"""The views are built anew from the log while they are read, and are the same to the byte; what is false is mended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from concert import cli
from services.metrics import mending
from services.metrics.app import subscriptions
from services.metrics.facts.customers import CustomerFact
from services.metrics.facts.deals import DealFact
from services.metrics.mending import RebuildRun
from services.metrics.sums import Tally
from shared.bus import Bus, Message, Position
from shared.instant import now
from shared.rebuild import Rebuild, RebuildRefused
from shared.store import Context, Job, Tx
from shared.store.tables import External
from tests.chaos.victims import OnOneMachine
from tests.kit.told import dump
from tests.metrics.company import CUSTOMERS, settle_in
from tests.metrics.test_certificate import settled_verdict
from tests.serving import serving
from tests.world import World, token_headers

PATH = "/v1/views/rebuild"
WON = DealFact.__table__.c.status == "won"  # type: ignore[attr-defined]
_cell = Tally.__table__.c  # type: ignore[attr-defined]
REVENUE = sa.and_(_cell.measure == "won", _cell.dim == "", _cell.grain == "m")
DEPARTMENTS = ("sales", "finance", "accounting", "hr", "it")


@pytest.fixture
async def settled(world: World) -> World:
    """A company whose views hold everything."""
    tokens = await settle_in(world.admin)
    query = {"after": tokens, "period": "2025"}
    answer = await world.admin.get("/v1/views", params=query, headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    await settled_verdict(world, "consistent")
    return world


async def rebuilt(world: World) -> dict[str, Any]:
    """Rebuild; what came of it."""
    begun = await world.admin.post(PATH)
    assert (begun.status_code, begun.headers.get("location")) == (202, PATH), begun.text
    return await ended(world.admin)


async def ended(client: httpx.AsyncClient) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            run: dict[str, Any] = (await client.get(PATH)).json()
            if run["state"] != "running":
                return run
            await asyncio.sleep(0.05)


async def shown(world: World) -> list[bytes]:
    """Every view with every breakdown, to the byte; but not how old its sources are."""
    asked = [{"period": "2025-Q2", "breakdown": along} for along in ("team", "member", "customer", "month")]
    asked.append({"period": "2025"})
    answers = [await world.admin.get(f"/v1/views/{department}", params=query)
               for department in DEPARTMENTS if department != "it" for query in asked]  # fmt: skip
    assert {answer.status_code for answer in answers} == {200}
    return [answer.content for answer in answers]


async def in_the_views(world: World, work: Callable[[Tx], Any]) -> None:
    """Do something to the tables of the views by hand."""
    await world.services["metrics"].runtime.store.write(Job(work, Context(now())))


async def test_a_rebuild_gives_the_same_views_to_the_byte(settled: World) -> None:
    before, rows = await shown(settled), await dump(settled.services["metrics"].runtime.store)
    run = await rebuilt(settled)
    assert (run["state"], run["differences"], run["reason"]) == ("adopted", {}, None)
    assert run["by"] == "tester"
    assert await shown(settled) == before
    assert await dump(settled.services["metrics"].runtime.store) == rows
    await settled_verdict(settled, "consistent")


async def test_what_happens_during_a_rebuild_is_in_the_views_once(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # How far it is, is told while it adopts too.
    monkeypatch.setattr(mending, "TOLD_EVERY", 0.0)
    running = asyncio.create_task(rebuilt(settled))
    sent = 0
    while not running.done():
        last = await settled.post("/v1/customers", {"name": f"Customer {sent}"})
        assert last.status_code == 201, last.text
        sent += 1
    run = await running
    # Those that came while it was adopted make rows differ, which is no fault: then nothing is counted.
    assert (run["state"], run["differences"] or {}) == ("adopted", {})
    await settled.settled("/v1/views/sales", last, period="2025")
    store = settled.services["metrics"].runtime.store
    known = await store.read(lambda snapshot: snapshot.scalar(sa.select(sa.func.count()).select_from(CustomerFact)))
    assert sent > 0
    assert known == sent + len(CUSTOMERS)
    assert (await rebuilt(settled))["differences"] == {}
    await settled_verdict(settled, "consistent")


async def test_what_was_falsified_by_hand_is_mended_and_counted(settled: World) -> None:
    before = await shown(settled)

    async def falsify(tx: Tx) -> None:
        deals = await tx.all(DealFact, sa.select(DealFact).where(WON).order_by(DealFact.id))
        deals[0].value += 1
        tx.put(deals[0])
        tx.remove(deals[1])
        cells = await tx.all(Tally, sa.select(Tally).where(REVENUE).order_by(Tally.start))  # type: ignore[arg-type]
        tx.remove(cells[0])
        tx.put(Tally.make(**cells[1].content() | {"key": "team_nobody", "amount": 7}))

    await in_the_views(settled, falsify)
    await settled_verdict(settled, "inconsistent")
    assert await shown(settled) != before
    run = await rebuilt(settled)
    assert (run["state"], run["differences"]) == ("adopted", {"deal_fact": 2, "tally": 2})
    assert await shown(settled) == before
    await settled_verdict(settled, "consistent")


async def test_there_is_one_rebuild_at_a_time(settled: World) -> None:
    none_yet = await settled.admin.get(PATH)
    assert none_yet.status_code == 404
    first, second = await asyncio.gather(settled.admin.post(PATH), settled.admin.post(PATH))
    assert sorted((first.status_code, second.status_code)) == [202, 409]
    refused = max(first, second, key=lambda answer: answer.status_code)
    assert refused.json()["detail"] == "The views are being rebuilt already."
    assert (await ended(settled.admin))["state"] == "adopted"
    assert (await rebuilt(settled))["state"] == "adopted"


async def test_what_a_service_owns_itself_is_not_rebuilt(settled: World) -> None:
    hook = {"url": "https://tools.example.com/concert", "types": ["concert.targets.*"]}
    made = await settled.made("/v1/webhooks", hook)

    async def name(tx: Tx) -> None:
        tx.put(External.make(kind="webhook", source="tools", name="mirror", id=made["id"]))

    await in_the_views(settled, name)
    assert (await rebuilt(settled))["differences"] == {}
    assert (await settled.admin.get(f"/v1/webhooks/{made['id']}")).json()["url"] == hook["url"]
    store = settled.services["metrics"].runtime.store
    assert await store.read(lambda snapshot: snapshot.resolve("webhook", "ext:tools:mirror")) == made["id"]


class Spoilt:
    """The log as it would be read if it had been tampered with."""

    def __init__(self, bus: Bus, spoil: Callable[[Message], Message | None]) -> None:
        self.bus = bus
        self.spoil = spoil

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        async for batch in self.bus.messages(topics, start):
            spoilt = [self.spoil(message) for message in batch]
            yield [message for message in spoilt if message is not None]


async def refused(world: World, spoil: Callable[[Message], Message | None]) -> str:
    """What a rebuild from a spoilt log says; the views must be as they were."""
    runtime = world.services["metrics"].runtime
    before = await dump(runtime.store)

    with pytest.raises(RebuildRefused) as refusal:
        await Rebuild(runtime.store, Spoilt(runtime.bus, spoil), subscriptions, runtime.consumer).run()  # type: ignore[arg-type]
    assert await dump(runtime.store) == before
    return str(refusal.value)


async def test_a_log_that_has_lost_its_beginning_is_refused(settled: World) -> None:
    said = await refused(settled, lambda each: None if each.offset < 2 else each)
    assert "begins with record 2" in said


async def test_a_log_that_cannot_be_understood_is_refused(settled: World) -> None:
    def garbled(message: Message) -> Message:
        if message.record.topic != "concert.targets":
            return message
        return replace(message, record=replace(message.record, value=b"[]"))

    assert "more than 100 events were parked within a minute" in await refused(settled, garbled)


async def test_a_process_that_dies_while_it_adopts_leaves_the_views_as_they_were(tmp_path: Path) -> None:
    victim = OnOneMachine(tmp_path)
    try:
        victim.start("rebuild.adopting=1")
        async with victim.client("metrics") as client:
            met = await client.post("/v1/customers", json={"name": "Acme"})
            query = {"period": "2026", "after": met.headers["concert-version"]}
            before = (await client.get("/v1/views/sales", params=query)).content
            assert (await client.post(PATH)).status_code == 202
        await asyncio.to_thread(victim.processes["concert"].join, 30)
        assert victim.processes["concert"].exitcode == -signal.SIGKILL
        assert (tmp_path / "metrics.beside.db").exists()
        victim.start()
        async with victim.client("metrics") as client:
            assert (await client.get("/v1/views/sales", params=query)).content == before
            assert (await client.post(PATH)).status_code == 202
            assert (await ended(client))["state"] == "adopted"
            assert (await client.get("/v1/views/sales", params=query)).content == before
        assert not (tmp_path / "metrics.beside.db").exists()
    finally:
        victim.kill()


async def test_a_rebuild_whose_process_has_died_is_told_as_lost(settled: World) -> None:
    long_ago = now() - timedelta(minutes=1)

    async def leave(tx: Tx) -> None:
        tx.put(RebuildRun.make(by="tester", started_at=long_ago, told_at=long_ago))

    await in_the_views(settled, leave)
    told = (await settled.admin.get(PATH)).json()
    assert told["state"] == "lost"
    assert told["reason"].endswith("Begin again.")


async def test_the_command_rebuilds_and_says_what_it_found(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_headers(settled.settings, "admin")["Authorization"].removeprefix("Bearer ")

    async def falsify(tx: Tx) -> None:
        fact = (await tx.all(DealFact, sa.select(DealFact)))[0]
        fact.value += 1
        tx.put(fact)

    await in_the_views(settled, falsify)
    async with serving(settled.origin) as url:
        assert await typed(url, token) == (0, "The views were built anew from the log. Rows that were not what the log"
                                              " gives, and now are: 1 in deal_fact.")  # fmt: skip
        assert await typed(url, token) == (0, "The views were built anew from the log, and every row was as it should"
                                              " be.")  # fmt: skip
        code, said = await typed(url, "nonsense")
        assert code == 1
        assert f"{PATH} answered 401" in said
    code, said = await typed(url, token)
    assert code == 1
    assert said.startswith("The connection broke")


async def typed(url: str, token: str) -> tuple[int, str]:
    """`concert views rebuild` with these options: how it leaves, and what it says."""
    words = ["views", "rebuild", "--url", url, "--token", token]
    result = await asyncio.to_thread(CliRunner().invoke, cli.app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, " ".join(result.output.split())
