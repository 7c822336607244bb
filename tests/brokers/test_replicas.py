"""Two processes of one service: both take writes and answer alike, one relays and one applies, and the other takes over
when that one dies or stands still; one that wakes up changes nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.bus.kafka import KafkaBus
from shared.instant import now
from tests.brokers.load import order_on
from tests.brokers.replicas import SECOND, Replicated
from tests.chaos.kills import Clients, Notes, judge, prepare
from tests.chaos.victims import rebuilt_and_live, servers_of
from tests.engines import Kafka, Postgres, Unavailable

pytestmark = pytest.mark.nightly

MOST_SECONDS = 10
HOLDING = ("targets", "metrics")


@pytest.fixture
def replicated(postgres_server: Postgres, tmp_path: Path) -> Iterator[Replicated]:
    """Six processes on a broker of their own."""
    try:
        with Kafka() as broker, servers_of(tmp_path, postgres_server, broker, kind=Replicated) as victim:
            assert isinstance(victim, Replicated)
            victim.begin()
            yield victim
    except Unavailable as reason:
        pytest.skip(str(reason))


async def meet(victim: Replicated, part: str, name: str) -> httpx.Response:
    """A customer, met by one of the processes."""
    async with victim.client(part) as client:
        answer = await client.post("/v1/customers", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer


async def views(victim: Replicated, part: str, written: httpx.Response) -> bytes:
    """What a process of metrics shows once it has what was written."""
    query = {"after": written.headers["concert-version"], "period": str(now().year)}
    async with victim.client(part) as client, asyncio.timeout(40):
        while True:
            answer = await client.get("/v1/views/sales", params=query, headers={"Prefer": "wait=8"})
            if answer.status_code == 200:
                return answer.content
            assert answer.status_code == 503, answer.text


async def verdict(victim: Replicated, part: str) -> str:
    """What the certificate of a process says when it is not catching up any more."""
    async with victim.client(part) as client, asyncio.timeout(40):
        while True:
            found = (await client.get("/v1/consistency", params={"fresh": "true"})).json()["verdict"]
            if found != "catching_up":
                return str(found)
            await asyncio.sleep(0.1)


async def stands(victim: Replicated) -> None:
    """The log has every version once and in order but for what was sent again, and the views are what it gives."""
    bus = KafkaBus(victim.broker.address, "tests")
    await bus.start()
    try:
        order = await order_on(bus)
    finally:
        await bus.close()
    assert order == {subject: list(range(1, len(versions) + 1)) for subject, versions in order.items()}
    rebuilt, live = await rebuilt_and_live(victim)
    assert rebuilt == live


@pytest.mark.timeout(600)
def test_the_other_process_takes_over_and_one_that_wakes_up_changes_nothing(replicated: Replicated) -> None:
    asyncio.run(_both_take_and_answer(replicated))
    after_a_pause = asyncio.run(_a_pause(replicated))
    after_a_kill = asyncio.run(_a_kill(replicated))
    replicated.kill()
    asyncio.run(stands(replicated))
    print(f"taken over {after_a_pause:.1f} s after a pause, {after_a_kill:.1f} s after a kill")  # noqa: T201


async def _both_take_and_answer(victim: Replicated) -> None:
    last = [await meet(victim, part, f"Met by {part}") for part in ("targets", "targets-2") for _ in range(3)][-1]
    shown = [await views(victim, part, last) for part in ("metrics", "metrics-2")]
    assert shown[0] == shown[1]
    assert b'"customers_start"' in shown[0]


async def _a_pause(victim: Replicated) -> float:
    before = await victim.holders()
    written = await meet(victim, "targets", "Met before the pause")
    victim.pause(*HOLDING)
    seconds = await victim.taken_over(before)
    assert seconds < MOST_SECONDS
    await views(victim, "metrics-2", written)
    written = await meet(victim, "targets-2", "Met during the pause")
    await views(victim, "metrics-2", written)
    others = await victim.holders()
    victim.wake(*HOLDING)
    # What was begun before the pause ends now; nothing of it may count.
    last = [await meet(victim, part, f"Met by {part} again") for part in ("targets", "targets-2")][-1]
    assert await views(victim, "metrics", last) == await views(victim, "metrics-2", last)
    assert await victim.holders() == others
    assert {await verdict(victim, part) for part in ("metrics", "metrics-2")} == {"consistent"}
    return seconds


async def _a_kill(victim: Replicated) -> float:
    before = await victim.holders()
    written = await meet(victim, "targets-2", "Met before the kill")
    victim.kill(*SECOND)
    seconds = await victim.taken_over(before)
    assert seconds < MOST_SECONDS
    await views(victim, "metrics", written)
    await views(victim, "metrics", await meet(victim, "targets", "Met after the kill"))
    assert await verdict(victim, "metrics") == "consistent"
    return seconds


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_while_processes_of_a_service_die_or_stand_still_under_load(
    replicated: Replicated,
) -> None:
    notes = asyncio.run(_troubled(replicated))
    found = asyncio.run(judge(replicated, notes))
    print(f"{notes.kills} disturbances; {found}")  # noqa: T201
    assert found["deals"] > 50


async def _troubled(victim: Replicated) -> Notes:
    notes = Notes()
    await prepare(victim)
    for number in range(8):
        working = asyncio.create_task(Clients(victim, notes).work(number, 12))
        await asyncio.sleep(1)
        # The clients talk to the first process of targets: the other one, and those of metrics, may have the leases.
        hit = random.sample(("targets-2", *HOLDING[1:], "metrics-2"), 2)
        if number % 2:
            victim.pause(*hit)
            await asyncio.sleep(10)
            victim.wake(*hit)
        else:
            victim.kill(*hit)
            await asyncio.sleep(9)
            await asyncio.to_thread(victim.start)
        notes.kills += 1
        await working
    return notes
