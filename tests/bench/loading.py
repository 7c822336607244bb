"""A million deals in the views without the log: the same folds, the same contributions, stored as the applier stores.

What is left out is what views do not read: the positions of the log and the versions of the subjects.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from services.metrics.facts.deals import DealFact, deals
from shared.events import Event
from shared.events.targets import Credit, DealLost, DealMoved, DealOpened, DealWon
from shared.facts import Moves
from shared.ids import shard_of
from shared.instant import now
from shared.money import Money
from shared.store import Context, Job, Store, Tx

BATCH = 50_000
BEGIN = date(2025, 1, 1)


def acts(number: int) -> list[Event]:
    """What happens to one deal of a year: of 40 members in 8 teams, 100 customers and 7 products; every fourth is lost,
    every twentieth stays open, and the others take from 5 to 94 days."""
    opened = BEGIN + timedelta(days=number * 17 % 330)
    value = Money.of_minor(100_00 + number % 90_000, "EUR")
    whose: dict[str, Any] = {"owner": f"mbr_{number % 40}", "team": f"team_{number % 8}",
                             "customer": f"cust_{number % 100}", "product": f"prod_{number % 7}"}  # fmt: skip
    told: list[Event] = [DealOpened(opened_on=opened, stage="prospecting", value=value, **whose)]
    if number % 3:
        told.append(DealMoved(stage="engaging", on=opened + timedelta(days=3)))
    closed = opened + timedelta(days=5 + number * 31 % 90)
    if number % 20 == 19:
        return told
    if number % 4 == 3:
        return [*told, DealLost(on=closed)]
    credit = Credit(member=whose["owner"], share="1", amount=value)
    return [*told, DealWon(on=closed, value=value, credits=(credit,), cost=value, **whose)]


def fact_of(number: int) -> DealFact:
    """A deal as the views know it after all that happened to it."""
    key = f"deal_{number}"
    fact = DealFact.make(id=key, shard=shard_of(f"deal/{key}"))
    for event in acts(number):
        deals.fold(fact, event)
    return fact


async def load(store: Store, count: int) -> None:
    """Store so many deals, and the sums they add up to."""
    numbers = iter(range(count))
    while batch := list(islice(numbers, BATCH)):
        await store.write(Job(lambda tx, batch=batch: _store(tx, batch), Context(now())))  # type: ignore[misc]


async def _store(tx: Tx, numbers: list[int]) -> None:
    moves = Moves()
    for fact in _facts(numbers):
        tx.put(fact)
        for sums, cells in zip(deals.tables, deals.contributions(fact), strict=True):
            moves.move(sums, (), cells)
    await tx.flush()
    await moves.store(tx)


def _facts(numbers: list[int]) -> Iterator[DealFact]:
    return (fact_of(number) for number in numbers)
