"""What a view's read costs with many deals against few, and how fast events are applied."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.metrics.app import service, subscriptions
from services.metrics.views import VIEWS
from services.metrics.views.frame import Question, Reading, compute
from shared.bus import Message, Record, partition_of
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer
from shared.events.targets import Credit, DealOpened, DealWon
from shared.money import Money
from shared.period import Period
from shared.store import Snapshot, open_store
from shared.store.migrate import migrate

BATCH = 1000
BEGIN = date(2025, 1, 1)
READS = 15


def events(deals: int) -> Iterator[Record]:
    """So many deals, opened and won through a year, of 40 members in 8 teams with 100 customers."""
    for number in range(deals):
        member, team, customer = f"mbr_{number % 40}", f"team_{number % 8}", f"cust_{number % 100}"
        opened = BEGIN + timedelta(days=number % 330)
        value = Money.of_minor(100_00 + number, "EUR")
        shared: dict[str, Any] = {"owner": member, "team": team, "customer": customer}
        credit = Credit(member=member, share="1", amount=value)
        yield _record(number, 1, DealOpened(opened_on=opened, stage="prospecting", value=value, **shared))
        won = DealWon(on=opened + timedelta(days=30), value=value, credits=(credit,), cost=value, **shared)
        yield _record(number, 2, won)


def _record(number: int, version: int, event: DealOpened | DealWon) -> Record:
    subject = f"deal/deal_{number}"
    headers = (("ce_id", f"{number:024x}{version:08x}"), ("ce_type", event.type), ("ce_source", "/targets"),
               ("ce_subject", subject), ("ce_sequence", str(version)), ("ce_time", "2026-01-01T00:00:00Z"))  # fmt: skip
    return Record("concert.targets", subject, event.to_json(), headers)


async def measured(deals: int) -> tuple[float, float, float]:
    """Seconds for a view's read, for the same by team, and events applied per second, with so many deals."""
    with tempfile.TemporaryDirectory() as folder:
        migrate(service, f"sqlite:{folder}")
        store = open_store(f"sqlite:{folder}", "metrics")
        await store.start()
        consumer = Consumer(store, EmbeddedBus(Path(folder) / "log.db"), subscriptions)
        begin = time.perf_counter()
        for place, batch in enumerate(_batches(deals)):
            await consumer.apply([Message(each, partition_of(each.key), place * BATCH + at)
                                  for at, each in enumerate(batch)])  # fmt: skip
        applied = 2 * deals / (time.perf_counter() - begin)
        question = Question(Period.parse("2025-Q2"), date(2026, 1, 1))

        async def read(snapshot: Snapshot) -> None:
            await compute(VIEWS["sales"], Reading(snapshot, question))

        async def by_team(snapshot: Snapshot) -> None:
            reading = Reading(snapshot, question)
            for team in range(8):
                await compute(VIEWS["sales"], reading.row("team", f"team_{team}"))

        plain, split = [], []
        for _ in range(READS):
            plain.append(await _seconds(store.read(read)))
            split.append(await _seconds(store.read(by_team)))
        await store.close()
        return sorted(plain)[READS // 2], sorted(split)[READS // 2], applied


def _batches(deals: int) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in events(deals):
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _seconds(work: Any) -> float:
    begin = time.perf_counter()
    await work
    return time.perf_counter() - begin


def report(few: int, many: int) -> list[tuple[str, str, str]]:
    """The lines of the table about views."""
    small, large = asyncio.run(measured(few)), asyncio.run(measured(many))
    return [
        (f"a view's read with {many:,} deals against {few:,}", f"{large[0] / small[0]:.2f} times", "at most 1.2"),
        ("the same by team", f"{large[1] / small[1]:.2f} times", ""),
        ("events applied per second, alone", f"{large[2]:,.0f}", ""),
    ]
