"""Ending what was begun beside: neither its failure nor one's own end is lost."""

from __future__ import annotations

import asyncio

import pytest

from shared.tasks import completed, ended


async def test_who_is_cancelled_while_another_task_ends_ends_too() -> None:
    ending, free = asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await free.wait()

    async def works_for_ever() -> None:
        beside = asyncio.create_task(slow_to_end())
        await asyncio.sleep(0)
        await ended(beside)
        await asyncio.Event().wait()

    worker = asyncio.create_task(works_for_ever())
    await ending.wait()
    worker.cancel()
    free.set()
    done, _ = await asyncio.wait([worker], timeout=5)
    assert done == {worker}
    assert worker.cancelled()


async def test_what_a_task_failed_of_is_raised_and_its_cancellation_is_not() -> None:
    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the disk is full")

    async def goes() -> None:
        await asyncio.Event().wait()

    failing, going = asyncio.create_task(fails()), asyncio.create_task(goes())
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="the disk is full"):
        await ended(failing)
    await ended(going)
    assert going.cancelled()


async def test_who_is_cancelled_while_letting_go_lets_go_of_everything_first() -> None:
    let_go: list[int] = []
    begun = asyncio.Event()

    async def close_all() -> None:
        for number in range(3):
            begun.set()
            await asyncio.sleep(0)
            let_go.append(number)

    worker = asyncio.create_task(completed(close_all()))
    await begun.wait()
    worker.cancel()
    await asyncio.wait([worker])
    assert let_go == [0, 1, 2]
    assert worker.cancelled()
