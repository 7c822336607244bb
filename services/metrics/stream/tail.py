"""The end of the log, read once for all who follow it.

Whoever is behind reads the log alone. Whoever has come to its end joins the others: one reader keeps the latest
messages in a ring of fixed size. Who is too slow for the ring reads alone again, so nobody's pace costs memory or
holds up others, and while nobody follows nothing is read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from contextvars import Context
from itertools import islice
from typing import Any

import structlog

from services.metrics.stream.cursor import Places, move
from shared.bus import TOPICS, Bus, Message, Position

log = structlog.get_logger(__name__)
MOST_MESSAGES = 4000
MOST_BYTES = 8 * 1024 * 1024
BATCH = 500


class Tail:
    """The latest messages of the log, and those who follow them."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.followers = 0
        self._ring: deque[Message] = deque()
        self._bytes = 0
        self._first = 0
        """The number of the first message in the ring, counted from when this tail began."""
        self._low: dict[Position, int] = {}
        self._high: dict[Position, int] = {}
        self._reading: asyncio.Task[None] | None = None
        self._came = asyncio.Event()

    async def follow(self, start: Places) -> AsyncGenerator[Sequence[Message], None]:
        """Batches of all topics from these places on; an empty batch each time their end has been reached. Raises
        LogBroken when a place lies beyond it."""
        places, known = dict(start), False
        self.followers += 1
        try:
            while True:
                if not self._covers(places, known):
                    async with aclosing(self._alone(places)) as batches:
                        async for batch in batches:
                            yield batch
                    known = True
                # Looked at again: to let go of a reader takes a while, and the ring may have moved on.
                if self._covers(places, known):
                    async with aclosing(self._together(places)) as batches:
                        async for batch in batches:
                            yield batch
        finally:
            self.followers -= 1
            if not self.followers:
                await self._stop()

    async def _alone(self, places: dict[Position, int]) -> AsyncGenerator[Sequence[Message], None]:
        """Read until the others have been reached."""
        messages: Any = self.bus.messages(TOPICS, dict(places))
        async with aclosing(messages) as batches:
            async for batch in batches:
                move(places, batch)
                yield batch
                if not batch:
                    if self._reading is None or self._reading.done():
                        self._begin(places)
                    if self._covers(places, known=True):
                        return

    async def _together(self, places: dict[Position, int]) -> AsyncGenerator[Sequence[Message], None]:
        """Take from the ring until it has moved past."""
        at, idle = self._first, False
        while at >= self._first and self._reading is not None and not self._reading.done():
            came = self._came
            part = list(islice(self._ring, at - self._first, at - self._first + BATCH))
            at += len(part)
            fresh = [each for each in part if each.offset >= places.get((each.record.topic, each.partition), 0)]
            move(places, fresh)
            if fresh:
                idle = False
                yield fresh
            elif not part:
                if not idle:
                    idle = True
                    yield []
                    continue
                await came.wait()

    def _covers(self, places: Places, known: bool) -> bool:
        """Whether everything after these places is in the ring or still to come; places that are not known to be on
        this log may not lie beyond what was read of it."""
        if self._reading is None or self._reading.done():
            return False
        if any(places.get(each, 0) < low for each, low in self._low.items()):
            return False
        return known or all(place <= self._high.get(each, 0) for each, place in places.items())

    def _begin(self, places: Places) -> None:
        # Past every number that was given, so that nobody takes a message of this tail for one of the last.
        self._first += len(self._ring) + 1
        self._ring.clear()
        self._bytes = 0
        self._low, self._high = dict(places), dict(places)
        # Not as part of the request of whoever comes first: it goes on for all the others.
        self._reading = asyncio.create_task(self._read(), name="tail of the log", context=Context())

    async def _read(self) -> None:
        messages: Any = self.bus.messages(TOPICS, dict(self._high))
        try:
            async with aclosing(messages) as batches:
                async for batch in batches:
                    self._take(batch)
        except Exception as fault:
            # Each follower reads alone then, and meets the fault itself if it is one of the log.
            log.warning("tail_stopped", reason=f"{type(fault).__name__}: {fault}")
        finally:
            self._tell()

    def _take(self, batch: Sequence[Message]) -> None:
        if not batch:
            return
        self._ring.extend(batch)
        self._bytes += sum(_size(each) for each in batch)
        move(self._high, batch)
        while len(self._ring) > MOST_MESSAGES or (self._bytes > MOST_BYTES and len(self._ring) > 1):
            gone = self._ring.popleft()
            self._first += 1
            self._bytes -= _size(gone)
            self._low[gone.record.topic, gone.partition] = gone.offset + 1
        self._tell()

    def _tell(self) -> None:
        self._came.set()
        self._came = asyncio.Event()

    async def _stop(self) -> None:
        task, self._reading = self._reading, None
        self._first += len(self._ring)
        self._ring.clear()
        self._bytes = 0
        if task is not None:
            task.cancel()
            await asyncio.wait({task}, timeout=5)


def _size(message: Message) -> int:
    return len(message.record.value or b"") + 500
