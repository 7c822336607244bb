"""Events as other services tell them, and a log that brings them to an applier in any order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from services.metrics.app import service as metrics
from services.metrics.app import subscriptions
from shared.bus import Message, Record, partition_of
from shared.consumer import Consumer
from shared.events import Event
from shared.events.targets import DealLost, DealMoved, DealOpened, DealReopened, DealWon
from shared.money import Money
from shared.store import Store
from shared.store.migrate import metadata_of

TARGETS = "concert.targets"
# What an applier notes about its own work; everything else must depend on the set of events alone.
OBSERVATIONS = {"position", "lease", "held_event", "source_progress", "batch_progress", "kept_answer", "journal",
                "rebuild_run", "verified", "discarded"}  # fmt: skip


def opened(day: int = 1, stage: str = "prospecting", **fields: Any) -> DealOpened:
    """A deal is found."""
    value = Money("100.00", "EUR")
    return DealOpened(owner="mbr_a", opened_on=date(2026, 1, day), stage=stage, value=value, **fields)


def won(day: int = 9, amount: str = "120.00") -> DealWon:
    """It is won."""
    return DealWon(on=date(2026, 2, day), value=Money(amount, "EUR"), owner="mbr_a", team="team_a", customer="cust_a")


def lost(day: int = 9) -> DealLost:
    """It is lost."""
    return DealLost(on=date(2026, 2, day))


def moved(stage: str, day: int = 5) -> DealMoved:
    """It reaches another stage."""
    return DealMoved(stage=stage, on=date(2026, 1, day))


def reopened() -> DealReopened:
    """It is open again."""
    return DealReopened(on=date(2026, 3, 1))


def told(subject: str, version: int, event: Event, *, again: str = "", **head: str) -> Record:
    """An event of a subject under a version, as a record; `again` makes it another event under the same version."""
    data = event.to_json()
    identity = blake2b(f"{subject}@{version}{again}".encode(), digest_size=16).hexdigest()
    headers = {
        "ce_id": identity,
        "ce_type": event.type,
        "ce_source": "/targets",
        "ce_subject": subject,
        "ce_time": f"2026-01-01T00:00:{version:02d}.000000Z",
        "ce_sequence": str(version),
    } | {f"ce_{name}": value for name, value in head.items()}
    return Record(event.topic or TARGETS, subject, data, tuple(headers.items()))


def life(subject: str, *events: Event) -> list[Record]:
    """All events of a subject, in order."""
    return [told(subject, version, event) for version, event in enumerate(events, 1)]


class Log:
    """Gives each record the next place of its partition."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = {}

    def messages(self, *records: Record) -> list[Message]:
        """Records as they come from the log."""
        return [self._message(record) for record in records]

    def _message(self, record: Record) -> Message:
        place = (record.topic, partition_of(record.key))
        offset = self._next.get(place, 0)
        self._next[place] = offset + 1
        return Message(record, place[1], offset)


def applier(store: Store) -> Consumer:
    """The applier of metrics on a store, following no log by itself."""
    return Consumer(store, None, subscriptions)  # type: ignore[arg-type]


async def dump(store: Store) -> dict[str, list[str]]:
    """Every row that must depend on the set of events alone, table by table."""
    tables = {table.name: table for table in metadata_of(metrics).sorted_tables}

    async def query(snapshot: Any) -> dict[str, list[str]]:
        found = {}
        for name, table in sorted(tables.items()):
            if name not in OBSERVATIONS:
                rows = await snapshot.rows(sa.select(table))
                found[name] = sorted(repr(tuple(row)) for row in rows)
        return {name: rows for name, rows in found.items() if rows}

    return await store.read(query)


async def held(store: Store) -> list[tuple[str, int, str | None]]:
    """What waits (without a reason) or is parked."""
    from shared.store.tables import HeldEvent

    column = HeldEvent.__table__.c  # type: ignore[attr-defined]
    select = sa.select(column.subject, column.version, column.reason).order_by(column.subject, column.version)
    return [(subject, version, reason) for subject, version, reason in await store.read(lambda it: it.rows(select))]


async def applied(store: Store, subject: str) -> int:
    """The version of a subject that has been applied."""
    from shared.store.tables import Applied

    row = await store.read(lambda snapshot: snapshot.find(Applied, subject))
    return row.version if row is not None else 0


async def sums(store: Store, measure: str = "won") -> tuple[int, int]:
    """Count and amount of a measure over everything."""
    from services.metrics.sums import Tally

    cell = Tally.__table__.c  # type: ignore[attr-defined]
    select = sa.select(sa.func.sum(cell.count), sa.func.sum(cell.amount)).where(
        cell.measure == measure, cell.dim == "", cell.grain == "d"
    )
    ((count, amount),) = await store.read(lambda snapshot: snapshot.rows(select))
    return int(count or 0), int(amount or 0)


async def feed(consumer: Consumer, log: Log, records: Sequence[Record], size: int = 1000) -> None:
    """Bring records to an applier, in batches."""
    messages = log.messages(*records)
    for start in range(0, len(messages), size):
        await consumer.apply(messages[start : start + size])
