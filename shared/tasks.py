"""Ending what was begun: a task beside one's own work, or one's own work when it is called off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait until it has ended; raises what it failed of, if it did.

    Who waits may be cancelled too, and is: awaiting the task itself and passing over its `CancelledError` would pass
    over one's own, and who was to stop would go on for ever.
    """
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (failure := task.exception()) is not None:
        raise failure


async def completed(ending: Awaitable[Any]) -> None:
    """Do something to its end, also when whoever waits for it is cancelled meanwhile, who is cancelled then.

    What lets go of several things one after the other would otherwise keep those it had not come to.
    """
    task = asyncio.ensure_future(ending)
    try:
        await asyncio.shield(task)
    finally:
        await task
