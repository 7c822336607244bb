"""What a view's read costs with many deals against few, and how fast events are applied."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
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
from shared.store import Snapshot, Store, open_store
from shared.store.migrate import migrate

BATCH = 1000
BEGIN = date(2025, 1, 1)
READS = 31
QUESTION = Question(Period.parse("2025-Q2"), date(2026, 1, 1))


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


@asynccontextmanager
async def filled(deals: int) -> AsyncIterator[tuple[Store, float]]:
    """Views that hold so many deals, and how many events were applied to them per second."""
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
        try:
            yield store, applied
        finally:
            await store.close()


async def read(snapshot: Snapshot) -> None:
    """The sales view of a quarter."""
    await compute(VIEWS["sales"], Reading(snapshot, QUESTION))


async def read_by_team(snapshot: Snapshot) -> None:
    """The same for each of eight teams."""
    reading = Reading(snapshot, QUESTION)
    for team in range(8):
        await compute(VIEWS["sales"], reading.row("team", f"team_{team}"))


async def measured(few: int, many: int) -> tuple[float, float, float]:
    """How much longer a view's read takes with many deals than with few, the same by team, and events applied per
    second. Reads of both are made in turns and the quickest counts, for what else a machine does only adds."""
    async with filled(few) as (small, _), filled(many) as (large, applied):
        ratios = []
        for work in (read, read_by_team):
            seconds: dict[Store, list[float]] = {small: [], large: []}
            for _ in range(READS):
                for store, measured_here in seconds.items():
                    measured_here.append(await _seconds(store.read(work)))
            ratios.append(min(seconds[large]) / min(seconds[small]))
        return ratios[0], ratios[1], applied


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
    plain, by_team, applied = asyncio.run(measured(few, many))
    return [
        (f"a view's read with {many:,} deals against {few:,}", f"{plain:.2f} times", "at most 1.2"),
        ("the same by team", f"{by_team:.2f} times", ""),
        ("events applied per second, alone", f"{applied:,.0f}", ""),
    ]
