"""What happens is put on the log as relays do it on their worst days.

Events come twice, at once or long after; one is kept back, so that its successors come first; whole windows are told
again, in order or not. Now and then one is poisoned: a body that nobody can read, another event under a version that
has been told, or an event of somebody who is no owner. What has no answer is told again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Final, Protocol

from shared.bus import PEOPLE, BusError, Record
from shared.instant import now
from shared.store.types import text_of
from tests.kit.told import told as record_of
from tests.soak.company import Company
from tests.soak.owners import Books

KEPT_BACK: Final = 0.01
TWICE: Final = 0.03
ONCE_MORE: Final = 0.1
"""Of windows, how often a stretch of what was told before is told again; half of them in disorder."""
STRETCH: Final = 300
REMEMBERED: Final = 20_000
LONG_AGO: Final = 8_000
WINDOWS_LATE: Final = 4
MOVED: Final = "concert.targets.deal-moved.v1"
BROKEN: Final = b'{"stage": 1, "on": "never"}'
STRANGER: Final = "stranger"


class Log(Protocol):
    """Where it is told."""

    async def publish(self, records: list[Record]) -> None:
        """Return when all records are on the log. Raises BusError."""


class Teller:
    """Tells what happens in the company, and counts what else it does."""

    def __init__(self, company: Company, books: Books, log: Log, seed: int) -> None:
        self.company = company
        self.books = books
        self.log = log
        self.did: Counter[str] = Counter()
        """Beside telling each event once: how often what."""
        self.given_up: Counter[str] = Counter()
        """By owner, how many poisoned events there were: each must be given up once."""
        self.broken: Counter[str] = Counter()
        """Those among them that were events of an owner."""
        self.poison = 0
        """How many are to be poisoned next."""
        self.events = 0
        self._chance = Random(seed)
        self._late: list[tuple[int, Record]] = []
        self._recent: list[Record] = []
        self._spoilt: set[str] = set()
        self._windows = 0

    async def window(self, size: int) -> None:
        """Tell so many events more."""
        fresh = [self._next() for _ in range(size)]
        while self.poison and self._poisoned(fresh):
            self.poison -= 1
        await self._send(self._disordered(fresh))

    async def last(self) -> None:
        """Tell what was kept back."""
        await self._send([record for _, record in self._late])
        self._late.clear()

    def _next(self) -> Record:
        told = self.company.tell()
        self.books.enter(told)
        self.events += 1
        source = "/" + ("teams" if told.event.topic == PEOPLE else told.event.topic.rpartition(".")[2])
        return record_of(told.subject, told.version, told.event, source=source, time=text_of(now()))

    def _disordered(self, fresh: list[Record]) -> list[Record]:
        self._windows += 1
        due = [record for window, record in self._late if window <= self._windows]
        self._late = [each for each in self._late if each[0] > self._windows]
        kept: list[Record] = []
        straight: list[Record] = []
        for record in fresh:
            (kept if self._chance.random() < KEPT_BACK else straight).append(record)
        self._late += [(self._windows + self._chance.randint(1, WINDOWS_LATE), record) for record in kept]
        again = [record for record in straight if self._chance.random() < TWICE]
        sent = list(straight)
        for record in (*due, *again):
            sent.insert(self._chance.randint(0, len(sent)), record)
        self.did["kept back"] += len(kept)
        self.did["told twice"] += len(again)
        if self._recent and self._chance.random() < ONCE_MORE:
            sent += self._stretch()
        self._recent += straight + due
        del self._recent[:-REMEMBERED]
        return sent

    def _stretch(self) -> list[Record]:
        start = self._chance.randrange(len(self._recent))
        found = self._recent[start : start + STRETCH]
        if self._chance.random() < 0.5:
            self._chance.shuffle(found)
            self.did["told again in disorder"] += len(found)
        else:
            self.did["told again in order"] += len(found)
        return found

    def _poisoned(self, fresh: list[Record]) -> bool:
        """Poison one of these, or add one that is; whether there was any that can be."""
        poison = self._chance.choice((self._unreadable, self._forked, self._strange))
        return poison(fresh)

    def _unreadable(self, fresh: list[Record]) -> bool:
        """An event of an owner cannot be read; those of its subject that follow are held up."""
        for place, record in enumerate(fresh):
            if dict(record.headers)["ce_type"] == MOVED and record.key not in self._spoilt:
                fresh[place] = replace(record, value=BROKEN)
                self._spoilt.add(record.key)
                self._count("unreadable", "targets")
                self.broken["targets"] += 1
                return True
        return False

    def _forked(self, fresh: list[Record]) -> bool:
        """Another event comes under a version that was told long ago."""
        for record in self._recent[: -LONG_AGO or None]:
            if record.topic != PEOPLE and record.key not in self._spoilt and self._chance.random() < 0.01:
                head = dict(record.headers) | {"ce_id": f"{self._chance.getrandbits(128):032x}"}
                self._spoilt.add(record.key)
                fresh.append(replace(record, headers=tuple(head.items())))
                self._count("forked", head["ce_source"].strip("/"))
                return True
        return False

    def _strange(self, fresh: list[Record]) -> bool:
        """Somebody who is no owner tells of a deal that nobody has."""
        number = self.did["strange"]
        head = {"ce_id": f"{number:032x}", "ce_type": "concert.targets.deal-opened.v1", "ce_source": f"/{STRANGER}",
                "ce_subject": f"deal/deal_strange_{number}", "ce_sequence": "1", "ce_time": text_of(now())}  # fmt: skip
        fresh.append(Record("concert.targets", head["ce_subject"], b"{}", tuple(head.items())))
        self._count("strange", STRANGER)
        return True

    def _count(self, how: str, owner: str) -> None:
        self.did[how] += 1
        self.given_up[owner] += 1

    async def _send(self, records: list[Record]) -> None:
        while True:
            try:
                await self.log.publish(records)
            except BusError:
                self.did["windows without an answer"] += 1
                await asyncio.sleep(0.1)
            else:
                return
