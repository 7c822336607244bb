"""How far the log has been read: kept in the transaction of the effects, with the record last read for recognition.

The positions are the fence: whoever applies moves them first, so of two appliers that read the same records one finds
them moved and applies nothing twice. With them stands as which edition of what is heard they were applied: a version
that keeps more, or reads events otherwise, finds that out and hears all of it anew (`docs/decisions/0019`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import sqlalchemy as sa

from shared.bus import COMPACTED, LogBroken, Message
from shared.store import Snapshot, Tx
from shared.store.tables import Position

Place = tuple[str, int]


class HeardByAnother(Exception):
    """A version with another edition of what is heard has applied events here: what it kept is not all there is."""


def heard_as(positions: Iterable[Position], edition: str) -> bool:
    """Whether all that has been applied here was applied as this edition says."""
    return all(each.edition == edition and each.heard == each.next_offset for each in positions if each.next_offset)


async def advance(tx: Tx, messages: Sequence[Message], edition: str) -> list[Message]:
    """Move the positions past these messages; returns those that lie behind where the positions stood. Raises
    HeardByAnother."""
    places = {(message.record.topic, message.partition) for message in messages}
    blanks = [Position.make(topic=topic, partition=partition) for topic, partition in sorted(places)]
    topics = sorted({topic for topic, _ in places})
    stored = {(row.topic, row.partition): row for row in await tx.locked(Position, topics, blanks)}
    if not heard_as(stored.values(), edition):
        raise HeardByAnother
    fresh = []
    for message in messages:
        position = stored[message.record.topic, message.partition]
        if message.offset >= position.next_offset:
            position.next_offset, position.last_offset = message.offset + 1, message.offset
            position.last_id = _id_of(message)
            position.heard, position.edition = position.next_offset, edition
            fresh.append(message)
    for place in places:
        tx.put(stored[place])
    return fresh


class Recognition:
    """Whether the log is still the one that was read: each partition begins with the record that was read last."""

    def __init__(self, positions: Sequence[Position]) -> None:
        self._last = {(each.topic, each.partition): each for each in positions if each.last_offset >= 0}
        self._seen = set(self._last)
        self.start = {place: each.last_offset for place, each in self._last.items()}
        """Where to read from, so that the last record of each partition comes again."""

    def check(self, messages: Sequence[Message]) -> None:
        """Compare the first message of each partition; no messages mean that the log's end has been reached. Raises
        LogBroken."""
        if not messages and self._last:
            topic, partition = min(self._last)
            raise _broken(self._last[topic, partition], "the log ends before it")
        for message in messages:
            place = (message.record.topic, message.partition)
            last = self._last.pop(place, None)
            if last is None:
                self._begin(place, message.offset)
                continue
            if message.offset == last.last_offset and _id_of(message) != last.last_id:
                raise _broken(last, f"event {_id_of(message) or 'without id'} stands there now")
            if message.offset > last.last_offset and last.topic not in COMPACTED:
                raise _broken(last, f"the first record there now is {message.offset}")

    def _begin(self, place: Place, offset: int) -> None:
        """A partition that is read for the first time is read from its beginning, or facts would be missing."""
        if place in self._seen:
            return
        self._seen.add(place)
        topic, partition = place
        if offset > 0 and topic not in COMPACTED:
            raise LogBroken(
                f"{topic} partition {partition} begins with record {offset}: what lay before it has been deleted, and"
                " without that nothing can be built from this log."
            )


def _broken(last: Position, what: str) -> LogBroken:
    return LogBroken(
        f"{last.topic} partition {last.partition}: record {last.last_offset}, event {last.last_id or 'without id'}, was"
        f" applied here, but {what}. This is not the log that was read before: bring that one back, or rebuild from it."
    )


async def stored_positions(snapshot: Snapshot) -> list[Position]:
    """The positions of all partitions that have been read."""
    return cast("list[Position]", await snapshot.all(Position, sa.select(Position)))


def _id_of(message: Message) -> str:
    return dict(message.record.headers).get("ce_id", "")
