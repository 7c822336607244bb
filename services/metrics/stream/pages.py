"""A page of the stream: the next events that a reader may see and wants, as lines, and the cursor behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from services.metrics.stream.cursor import BEGINNING, NOW, move, read
from services.metrics.stream.readers import Wanted, may_see
from services.metrics.stream.told import cloudevent, elsewhere, tellable
from shared.bus import TOPICS, Bus, LogBroken, Message, Position
from shared.errors import Overloaded
from shared.events import Envelope
from shared.identity.permissions import Principal
from shared.positions import stored_positions
from shared.postage import envelope_of
from shared.store import Store

MOST_SCANNED = 50_000
MOST_BYTES = 4 * 1024 * 1024
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the stream, and what of it."""

    principal: Principal
    wanted: Wanted

    def takes(self, envelope: Envelope) -> bool:
        """Whether this event is for this reader."""
        return self.wanted.takes(envelope.type) and may_see(self.principal, envelope.kind)


@dataclass(slots=True)
class Page:
    """Some events, where they end, and whether the log ends there too."""

    lines: list[bytes]
    places: dict[Position, int]
    caught_up: bool


async def page_after(bus: Bus, store: Store, reader: Reader, start: Mapping[Position, int], limit: int) -> Page:
    """The next events after these places. Ends early rather than late: after 50,000 events passed over, 4 MiB, or ten
    seconds. Raises Invalid for places of another log, Overloaded when the log does not answer."""
    page = Page([], dict(start), caught_up=False)
    found: list[Envelope] = []
    topics = reader.wanted.topics(reader.principal)
    if not topics:
        page.caught_up = True
        return page
    try:
        async with asyncio.timeout(SECONDS):
            await _scan(bus, reader, topics, page, found, limit)
    except LogBroken as reason:
        raise elsewhere(reason) from reason
    except TimeoutError:
        if page.places == dict(start):
            raise Overloaded("The log does not answer just now; ask again with the same cursor.") from None
    page.lines = [line for line in map(cloudevent, await tellable(store, found)) if line is not None]
    return page


async def _scan(bus: Bus, reader: Reader, topics: Sequence[str], page: Page, found: list[Envelope], limit: int) -> None:
    size = scanned = 0
    messages: Any = bus.messages(topics, dict(page.places))
    async with aclosing(messages) as batches:
        async for batch in batches:
            if not batch:
                page.caught_up = True
                return
            for message in batch:
                move(page.places, (message,))
                envelope = envelope_of(message.record)
                if reader.takes(envelope):
                    found.append(envelope)
                    size += len(envelope.data or b"")
                    if len(found) >= limit or size >= MOST_BYTES:
                        return
            scanned += len(batch)
            if scanned >= MOST_SCANNED:
                return


async def start_of(bus: Bus, store: Store, after: str | None, at: str = "/after") -> dict[Position, int]:
    """The places that a cursor, `beginning` or `now` stands for. Raises Invalid, Overloaded."""
    if after in (None, "", BEGINNING):
        return {}
    if after == NOW:
        return await end_of(bus, store)
    return read(str(after), at)


async def end_of(bus: Bus, store: Store) -> dict[Position, int]:
    """Where the log ends: found by reading on from where the views are. Raises Overloaded."""
    applied = await store.read(stored_positions)
    places = {(each.topic, each.partition): each.next_offset for each in applied}
    messages: Any = bus.messages(TOPICS, dict(places))
    try:
        async with asyncio.timeout(SECONDS), aclosing(messages) as batches:
            async for batch in batches:
                if not batch:
                    break
                move(places, batch)
    except (TimeoutError, LogBroken) as reason:
        raise Overloaded("The end of the log cannot be found just now; ask again.") from reason
    return places


async def told_of(store: Store, reader: Reader, batch: Sequence[Message]) -> dict[int, bytes]:
    """What a reader is told of a batch, each event under its number in the batch."""
    taken = {number: envelope_of(message.record) for number, message in enumerate(batch)}
    taken = {number: envelope for number, envelope in taken.items() if reader.takes(envelope)}
    kept = {each.id for each in await tellable(store, list(taken.values()))}
    lines = {number: cloudevent(envelope) for number, envelope in taken.items() if envelope.id in kept}
    return {number: line for number, line in lines.items() if line is not None}
