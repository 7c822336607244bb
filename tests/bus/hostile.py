"""A bus that behaves as badly as a real one may: everything it does has been seen on Kafka.

Records come twice, a prefix comes late (`6 7 5 6 7`), subjects overtake one another, batches are cut anywhere, and a
publish that was acknowledged, partly or wholly, says that it failed. The order of one subject changes in no other way,
and nothing that was acknowledged goes missing. Wrap it around any bus; it does the same for the same seed and the same
calls. A test that used it asserts on `counts`: what never happened proved nothing.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from shared.bus import Bus, BusError, Message, Position, Record

REMEMBERED = 4  # records per subject that may come a second time

Item = TypeVar("Item")


class HostileBus:
    """Another bus, made difficult: `trouble` is how much of what can go wrong does, from 0 to 1."""

    def __init__(self, bus: Bus, seed: int, *, trouble: float = 0.3, raises: bool = True) -> None:
        self.counts: Counter[str] = Counter()
        self._bus = bus
        self._chance = random.Random(seed)
        self._trouble = trouble
        self._raises = raises
        self._recent: dict[tuple[str, str], deque[Record]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    @property
    def healthy(self) -> str | None:
        """What the other bus says of itself."""
        return self._bus.healthy

    async def start(self) -> None:
        """Start the other bus."""
        await self._bus.start()

    async def close(self) -> None:
        """Close the other bus."""
        await self._bus.close()

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish in one of the ways in which a publish goes wrong, or well."""
        records = self._overtaken(records, lambda record: (record.topic, record.key))
        if self._raises and self._happens("nothing sent, raised"):
            raise BusError("Nothing of it was sent.")
        if self._happens("late prefix"):
            await self._bus.publish(self._without_prefixes(records))
            if self._raises and self._happens("partly sent, raised"):
                raise BusError("Some of it was sent.")
        await self._bus.publish(records)
        for record in records:
            self._recent[record.topic, record.key].append(record)
        if self._happens("sent twice"):
            await self._bus.publish(self._suffixes(records))
        if self._raises and self._happens("acknowledged but raised"):
            raise BusError("All of it was sent, and nobody knows.")

    async def messages(self, topics: Sequence[str], start: Mapping[Position, int]) -> AsyncIterator[Sequence[Message]]:
        """Yield what the other bus yields, partitions in disorder and cut into pieces."""
        async for batch in self._bus.messages(topics, start):
            shuffled = self._overtaken(batch, lambda message: (message.record.topic, message.partition))
            if not shuffled:
                yield []
            while shuffled:
                cut = self._chance.randrange(1, len(shuffled) + 1) if self._happens("cut") else len(shuffled)
                yield shuffled[:cut]
                shuffled = shuffled[cut:]

    def _happens(self, what: str) -> bool:
        """Whether something goes wrong now; counted."""
        happens = self._chance.random() < self._trouble
        self.counts[what] += happens
        return happens

    def _overtaken(self, items: Iterable[Item], lane_of: Callable[[Item], object]) -> list[Item]:
        """The items with those of other lanes in between, in order within each lane."""
        items = list(items)
        lanes: dict[object, deque[Item]] = defaultdict(deque)
        for item in items:
            lanes[lane_of(item)].append(item)
        turns = [lane_of(item) for item in items]
        if self._happens("overtaken"):
            self._chance.shuffle(turns)
        return [lanes[lane].popleft() for lane in turns]

    def _without_prefixes(self, records: Sequence[Record]) -> list[Record]:
        """What of the records is left when of each subject some of the first did not get through."""
        left: dict[tuple[str, str], int] = {}
        totals = Counter((record.topic, record.key) for record in records)
        for subject, total in totals.items():
            left[subject] = self._chance.randrange(total + 1)
        kept = []
        for record in reversed(records):
            if left[record.topic, record.key] > 0:
                left[record.topic, record.key] -= 1
                kept.append(record)
        return kept[::-1]

    def _suffixes(self, records: Sequence[Record]) -> list[Record]:
        """The last few records of some subjects, once more."""
        subjects = sorted({(record.topic, record.key) for record in records})
        chosen = self._chance.sample(subjects, self._chance.randrange(1, len(subjects) + 1)) if subjects else []
        again: list[Record] = []
        for subject in chosen:
            recent = list(self._recent[subject])
            again += recent[self._chance.randrange(len(recent)) :]
        return again
