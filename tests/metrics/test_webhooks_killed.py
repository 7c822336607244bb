"""A process that is killed while it delivers: what it acknowledged is delivered, in order, and nothing is left out."""

from __future__ import annotations

import asyncio
import os
import random
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from services.metrics.stream.cursor import move, read
from services.metrics.webhooks import courier, ledger
from shared.bus import Message
from tests.metrics.delivering_process import deliver
from tests.metrics.receiver import Received, dispatcher_of, hook, idle, receiving
from tests.metrics.stream import customer, relayed
from tests.metrics.test_webhooks import changed
from tests.starting import forked
from tests.world import World

KILLS = 2


def firsts(came: list[Received]) -> dict[str, list[str]]:
    """The versions of each subject in the order in which they first came."""
    found: dict[str, list[str]] = {}
    for each in came:
        subject, version = each.said
        if version not in found.setdefault(subject, []):
            found[subject].append(version)
    return found


def delivering(folder: Path, url: str, ending: bool = False, kill_at: str = "") -> ForkServerProcess:
    environment = os.environ | {"CONCERT_KILL_AT": kill_at, "CONCERT_LOG_LEVEL": "error"}
    return forked(deliver, folder, url, ending, environment=environment, said=folder / "said")


async def test_a_killed_process_delivers_all_it_acknowledged_in_order(tmp_path: Path) -> None:
    async with receiving() as receiver:
        for number in range(KILLS):
            came = len(receiver.came)
            # The later ones die by themselves, between sending and storing what came of it.
            process = delivering(tmp_path, receiver.url, kill_at="webhook.sent=0.03" if number else "")
            async with asyncio.timeout(90):
                while len(receiver.came) < came + 10 and process.exitcode is None:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(random.uniform(0, 0.4))
            process.kill()
            await asyncio.to_thread(process.join)
            assert process.exitcode == -9
        process = delivering(tmp_path, receiver.url, ending=True)
        await asyncio.to_thread(process.join, 120)
        assert process.exitcode == 0
    lines = (tmp_path / "said").read_text().splitlines()
    met = [line for line in lines if line.startswith("cust_")]
    assert len(met) > 5 * KILLS
    told = firsts(receiver.came)
    assert {f"customer/{each}" for each in met} <= set(told)
    assert all(told[f"customer/{each}"] == ["1", "2"] for each in met)
    # A customer that was met but not acknowledged has at most one version; none begins with the second.
    assert all(versions in (["1"], ["1", "2"]) for versions in told.values())
    assert len(receiver.came) > sum(map(len, told.values()))


@pytest.mark.parametrize("place", ["sent but not stored", "taken in but not stored"])
async def test_a_dispatcher_that_dies_in_between_leaves_nothing_out(
    near_world: World, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    metrics, dispatcher = near_world.services["metrics"], dispatcher_of(near_world)
    died = asyncio.Event()

    def die(*_: Any) -> Any:
        died.set()
        metrics.tasks["deliver_webhooks"].cancel()
        raise asyncio.CancelledError

    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        acme = await customer(near_world, "Acme")
        await receiver.until(lambda: len(receiver.taken) == 1)
        await idle(near_world, made)
        with monkeypatch.context() as patched:
            if place == "sent but not stored":
                patched.setattr(courier, "point", die)
            else:
                patched.setattr(courier.Courier, "_store", die)
            for region in ("EMEA", "APAC"):
                await changed(near_world, acme, region)
            beta = await customer(near_world, "Betatech")
            await asyncio.wait_for(died.wait(), 20)
            await asyncio.wait([metrics.tasks["deliver_webhooks"]], timeout=10)
            assert metrics.tasks["deliver_webhooks"].cancelled()
        metrics.tasks["deliver_webhooks"] = asyncio.create_task(dispatcher.run())
        await relayed(near_world)
        await receiver.until(lambda: len(firsts(receiver.came)) == 2)
        await receiver.until(lambda: sum(map(len, firsts(receiver.came).values())) == 4)
        await idle(near_world, made)
    assert firsts(receiver.came) == {f"customer/{acme['id']}": ["1", "2", "3"], f"customer/{beta['id']}": ["1"]}


async def test_of_two_dispatchers_one_works_and_the_other_takes_over(near_world: World) -> None:
    first = dispatcher_of(near_world)
    second = type(first)(first.means)
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        await receiver.until(lambda: len(first._couriers) == 1)
        waiting = asyncio.create_task(second.run())
        try:
            await customer(near_world, "Acme")
            await receiver.until(lambda: len(receiver.taken) == 1)
            await idle(near_world, made)
            assert (len(first._couriers), len(second._couriers)) == (1, 0)
            task = near_world.services["metrics"].tasks["deliver_webhooks"]
            task.cancel()
            await asyncio.wait([task], timeout=10)
            second.wake()
            await customer(near_world, "Betatech")
            await receiver.until(lambda: len(receiver.taken) == 2)
            assert len(second._couriers) == 1
        finally:
            waiting.cancel()
            await asyncio.wait([waiting], timeout=10)


async def test_two_that_both_believe_to_dispatch_take_nothing_in_twice(near_world: World) -> None:
    """As after a pause longer than the lease: the cursor in the store is the fence."""
    async with receiving() as receiver:
        made = await hook(near_world, receiver.url)
        await idle(near_world, made)
        means = dispatcher_of(near_world).means
        (known,) = await means.store.read(ledger.enabled)
        other = courier.Courier(known, means, lambda: None)
        await customer(near_world, "Acme")
        await receiver.until(lambda: len(receiver.taken) == 1)
        await idle(near_world, made)
        batches: list[Message] = []
        async for batch in means.tail.follow(read(known.cursor)):
            batches += batch
            if not batch:
                break
        places = read(known.cursor)
        move(places, batches)
        assert await other._store(other._taken(batches), places) is False
        await asyncio.sleep(0.2)
        assert len(receiver.came) == 1
