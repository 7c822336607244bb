"""Telling the views the same events in other orders, again and late: they must become the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import hypothesis
from hypothesis import HealthCheck
from hypothesis.strategies import SearchStrategy

from services.metrics.app import service
from shared.bus import Record
from shared.store import Store, Tx
from shared.store.sql import Statement
from tests.kit.conftest import Stores
from tests.kit.customers import job
from tests.kit.told import Log, applier, dump, feed, held

History = tuple[list[Record], list[Record], int]
"""Events in their order, the same with repetitions in any order, and the size of the batches."""


async def emptied(store: Store) -> Store:
    """Forget everything."""

    async def run(tx: Tx) -> None:
        for model in service.all_tables:
            table = model.__table__  # type: ignore[attr-defined]
            await tx.execute(Statement(table.delete(), tx.session.dialect), [()])

    await store.write(job(run))
    return store


async def nothing_more() -> None:
    """Nothing else must hold."""


async def same_in_any_order(
    stores: Stores,
    store: Store,
    histories: SearchStrategy[History],
    holds: Callable[[], Awaitable[None]] = nothing_more,
) -> None:
    """Whatever the history, the views hold the same to the byte however it comes; and what else holds of them once it
    has come in its order."""
    loop = asyncio.get_running_loop()

    async def check(straight: list[Record], shuffled: list[Record], size: int) -> None:
        await feed(applier(await emptied(store)), Log(), straight)
        expected = await dump(store)
        await holds()
        await feed(applier(await emptied(store)), Log(), shuffled, size)
        assert await held(store) == []
        assert await dump(store) == expected

    @hypothesis.settings(
        max_examples=15 if stores.on_postgres else 30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @hypothesis.given(histories)
    def every(history: History) -> None:
        asyncio.run_coroutine_threadsafe(check(*history), loop).result()

    # Hypothesis calls plain functions: it runs beside the loop, which does the work.
    await asyncio.to_thread(every)
