"""A process that is killed in the middle of commits: what it acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import PIPE

from tests.kit.conftest import Stores
from tests.kit.customers import external_names, names, versions

KILLS = 3


async def killed(url: str, seconds: float) -> list[str]:
    """What a writing process acknowledged before it was killed."""
    command = (sys.executable, "-m", "tests.kit.writing_process", url)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, limit=2**20)
    assert process.stdout is not None
    acknowledged = [(await process.stdout.readline()).decode().strip()]

    async def listen() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.endswith(b"\n"):
                acknowledged.append(line.decode().strip())

    listening = asyncio.create_task(listen())
    await asyncio.sleep(seconds)
    process.kill()
    await process.wait()
    await listening
    return acknowledged


async def test_a_killed_process_loses_nothing_it_acknowledged(stores: Stores) -> None:
    acknowledged: list[str] = []
    for _ in range(KILLS):
        acknowledged += await killed(stores.url, random.uniform(0.1, 0.5))
        store = await stores.open("targets")
        kept = {subject.removeprefix("customer/") for subject, _ in await versions(store)}
        assert set(acknowledged) <= kept
        await asyncio.sleep(0.2)  # what the database had begun for the dead process may still end
        assert await names(store) == await external_names(store)
        assert len(await versions(store)) == len(await names(store))
        await store.close()
    assert len(acknowledged) > 20 * KILLS
