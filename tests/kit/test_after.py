"""`?after=`: a reader sees their own write, wherever it was made, or is told what is missing."""

from __future__ import annotations

import asyncio
import time

import pytest
from httpx import Response

from shared.errors import NotYetApplied
from shared.http.waiting import Progress, tokens_of
from shared.store import Store
from tests.kit.conftest import Stores
from tests.kit.told import Log, applier, feed, life, opened, told, won
from tests.world import World

VIEW = "/v1/views/sales?period=2026"


async def ask(world: World, path: str, wait: int | None = None) -> Response:
    return await world.admin.get(path, headers={} if wait is None else {"Prefer": f"wait={wait}"})


async def test_a_write_is_read_back_from_the_service_that_took_it(standing: World) -> None:
    made = await standing.post("/v1/customers", {"name": "Acme"})
    token = made.headers["concert-version"]
    assert (await ask(standing, f"/v1/customers/{made.json()['id']}?after={token}", 0)).status_code == 200
    assert (await ask(standing, f"/v1/customers?limit=1&after={token}", 0)).status_code == 200


async def test_a_write_is_read_back_from_another_service(standing: World) -> None:
    tokens = []
    for name in ("one", "two", "three"):
        tokens.append((await standing.post("/v1/customers", {"name": name})).headers["concert-version"])
    repeated = "&".join(f"after={token}" for token in tokens)
    assert (await ask(standing, f"{VIEW}&{repeated}", 20)).status_code == 200
    assert (await ask(standing, f"{VIEW}&after={','.join(tokens)}", 20)).status_code == 200


async def test_what_never_comes_is_a_503_in_time_that_says_what_is_missing(standing: World) -> None:
    token = (await standing.post("/v1/customers", {"name": "Acme"})).headers["concert-version"]
    await ask(standing, f"{VIEW}&after={token}", 20)
    started = time.monotonic()
    answer = await ask(standing, f"{VIEW}&after={token.replace('@1', '@2')}", 1)
    assert 0.9 < time.monotonic() - started < 5
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/not-yet-applied")
    assert "is applied here up to 1, 2 is asked for" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("token", ["x", "deal/1", "deal/1@", "deal/1@x", "@1", "deal/1@" + "9" * 13, ""])
async def test_what_is_no_version_is_refused(standing: World, token: str) -> None:
    answer = await ask(standing, f"{VIEW}&after={token}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/after")


@pytest.fixture
async def store(stores: Stores) -> Store:
    return await stores.open("metrics")


async def read(progress: Progress, token: str, patience: float) -> str:
    async def answer(snapshot: object) -> str:
        return "here"

    return await progress.read(tokens_of([token]), patience, answer)


async def test_a_parked_subject_is_not_waited_for(store: Store) -> None:
    consumer, progress = applier(store), Progress(store, "metrics")
    await feed(consumer, Log(), [*life("deal/1", opened()), told("deal/1", 2, won(), type="concert.targets.riddle.v1")])
    assert await read(progress, "deal/1@1", 0) == "here"
    started = time.monotonic()
    with pytest.raises(NotYetApplied, match="parked at version 1"):
        await read(progress, "deal/1@2", 20)
    assert time.monotonic() - started < 5
    await consumer.discard("deal/1")
    assert await read(progress, "deal/1@2", 0) == "here"


async def test_a_bulk_has_come_when_all_its_events_have_been_applied(store: Store) -> None:
    consumer, progress, log = applier(store), Progress(store, "metrics"), Log()
    first, second = (told(f"deal/{number}", 1, opened(), batch="targets-b1") for number in range(2))
    await feed(consumer, log, [first, first])
    with pytest.raises(NotYetApplied, match="up to 1, 2 is asked for"):
        await read(progress, "batch/targets-b1@2", 0)
    await feed(consumer, log, [second])
    assert await read(progress, "batch/targets-b1@2", 0) == "here"


async def test_those_who_wait_are_woken_by_what_comes(store: Store) -> None:
    consumer, progress = applier(store), Progress(store, "metrics")
    consumer.moved = progress.moved
    waiting = [asyncio.create_task(read(progress, f"deal/{number % 3}@1", 20)) for number in range(30)]
    await asyncio.sleep(0.05)
    assert not any(each.done() for each in waiting)
    await feed(consumer, Log(), [told(f"deal/{number}", 1, opened()) for number in range(3)])
    assert set(await asyncio.gather(*waiting)) == {"here"}


async def test_those_who_wait_beside_another_process_that_applies_share_one_look(store: Store) -> None:
    consumer, progress = applier(store), Progress(store, "metrics")
    waiting = [asyncio.create_task(read(progress, "deal/1@1", 20)) for _ in range(30)]
    await asyncio.sleep(0.5)
    asked = 0
    plain = store.read

    async def counted(query: object) -> object:
        nonlocal asked
        asked += 1
        return await plain(query)  # type: ignore[arg-type]

    store.read = counted  # type: ignore[method-assign, assignment]
    await asyncio.sleep(0.5)
    assert asked < 15
    await feed(consumer, Log(), life("deal/1", opened()))
    assert set(await asyncio.gather(*waiting)) == {"here"}
    assert progress._polling is not None
    await asyncio.wait([progress._polling], timeout=1)
    assert progress._polling.done()
