"""Ending a task that was begun beside one's own work."""

from __future__ import annotations

import asyncio
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
