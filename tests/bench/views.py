"""What a view's read costs with many deals against few, and how fast events are applied."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.metrics.app import service, subscriptions
from services.metrics.views import VIEWS
from services.metrics.views.frame import Reading, compute
from services.metrics.views.question import Question
from shared.bus import Message, Record, partition_of
from shared.bus.embedded import EmbeddedBus
from shared.consumer import Consumer
from shared.events.targets import Credit, DealOpened, DealWon
from shared.money import Money
from shared.period import Period
from shared.store import Snapshot, Store, open_store
from shared.store.migrate import migrate
from tests.bench.loading import load

BATCH = 1000
BEGIN = date(2025, 1, 1)
READS = 31
NAMES = {"team": "team", "member": "mbr", "customer": "cust", "product": "prod"}
QUESTION = Question(Period.parse("2025-Q2"), date(2026, 1, 1))
RUNNING = Question(Period.parse("2025-Q4"), date(2025, 11, 16))


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
    """Views that were told of so many deals by the log, and how many events were applied to them per second."""
    async with empty() as (store, folder):
        consumer = Consumer(store, EmbeddedBus(Path(folder) / "log.db"), subscriptions)
        begin = time.perf_counter()
        for place, batch in enumerate(_batches(deals)):
            await consumer.apply([Message(each, partition_of(each.key), place * BATCH + at)
                                  for at, each in enumerate(batch)])  # fmt: skip
        yield store, 2 * deals / (time.perf_counter() - begin)


@asynccontextmanager
async def empty() -> AsyncIterator[tuple[Store, str]]:
    """Views that hold nothing yet, and the folder they are in."""
    with tempfile.TemporaryDirectory() as folder:
        migrate(service, f"sqlite:{folder}")
        store = open_store(f"sqlite:{folder}", "metrics")
        await store.start()
        try:
            yield store, folder
        finally:
            await store.close()


Work = Callable[[Snapshot], Awaitable[None]]


def reading(department: str, question: Question, by: str | None = None) -> Work:
    """A view of a quarter, or the same for each of eight teams, or of others."""

    async def read(snapshot: Snapshot) -> None:
        whole = Reading(snapshot, question)
        rows = (
            [whole.row(by, f"{NAMES[by]}_{number}") for number in range(7 if by == "product" else 8)] if by else [whole]
        )
        for each in rows:
            await compute(VIEWS[department], each)

    return read


def works() -> dict[str, Work]:
    """What is measured: each view of a quarter that is over, and sales of one that is running, which is forecast."""
    found = {f"the view of {name}": reading(name, QUESTION) for name in VIEWS}
    found["the view of sales, with a forecast"] = reading("sales", RUNNING)
    found["the view of sales by team"] = reading("sales", QUESTION, "team")
    found["the view of sales by team, with forecasts"] = reading("sales", RUNNING, "team")
    return found


def crosswise() -> dict[str, Work]:
    """Views by what also has customers, or expenses of its own: such pairs have no sums and are read fact by fact."""
    return {f"the view of {name} by {by}": reading(name, QUESTION, by)
            for by in ("member", "customer", "product") for name in ("sales", "finance", "accounting")}  # fmt: skip


async def all_five(snapshot: Snapshot) -> None:
    """All five views of a quarter that is over, from one snapshot."""
    for view in VIEWS.values():
        await compute(view, Reading(snapshot, QUESTION))


async def measured(
    few: int, many: int, works: Mapping[str, Work], times: int = READS
) -> dict[str, tuple[float, float]]:
    """How much longer each view's read takes with many deals than with few, and how long it takes with many, in
    seconds. Reads of both are made in turns and the quickest counts, for what else a machine does only adds."""
    async with empty() as (small, _), empty() as (large, _):
        await load(small, few)
        await load(large, many)
        found = {}
        for name, work in works.items():
            seconds: dict[Store, list[float]] = {small: [], large: []}
            for _ in range(times):
                for store, measured_here in seconds.items():
                    measured_here.append(await _seconds(store.read(work)))
            found[name] = min(seconds[large]) / min(seconds[small]), min(seconds[large])
        return found


async def applied(deals: int) -> float:
    """Events applied per second."""
    async with filled(deals) as (_, found):
        return found


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


def report(short: bool) -> list[tuple[str, str, str]]:
    """The lines of the table about views; a short run asks of fewer deals."""
    found = []
    for few, many, asked, times, aim in (
        (2_000, 20_000 if short else 200_000, {"all five views": all_five}, READS, "at most 1.2"),
        (1_000, 50_000 if short else 1_000_000, works(), READS, "at most 1.2"),
        (1_000, 2_000 if short else 10_000, crosswise(), 3, "grows with the facts"),
    ):
        for name, (ratio, seconds) in asyncio.run(measured(few, many, asked, times)).items():
            what = f"{name}, {many:,} deals against {few:,}"
            found.append((what, f"{ratio:.2f} times, {seconds * 1000:.1f} ms", aim))
    speed = asyncio.run(applied(5_000 if short else 50_000))
    return [*found, ("events applied per second, alone", f"{speed:,.0f}", "")]


if __name__ == "__main__":
    for line in report(True):
        sys.stdout.write("  ".join(line) + "\n")
