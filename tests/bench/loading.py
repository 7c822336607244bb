"""A million deals in the views without the log: the same folds, the same contributions, stored as the applier stores.

What is left out is what views do not read: the positions of the log, the versions of the subjects, and how many
contributions a cell has. What happens to a deal recurs after PERIOD deals; what recurs is folded once and counted as
often as it is there, which is what adding it up again and again would come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from services.metrics.facts.deals import DealFact, deals
from services.metrics.facts.support import SetbackFact, setbacks
from shared.events import Event
from shared.events.support import SetbackReported
from shared.events.targets import Credit, DealLost, DealMoved, DealOpened, DealWon
from shared.facts import Moves
from shared.ids import shard_of
from shared.instant import now
from shared.money import Money
from shared.store import Context, Job, Store, Tx

BATCH = 5_000
PERIOD = 138_600
"""The least number that 40, 8, 100, 7, 330, 90, 20, 4, 3 and 600 divide."""
BEGIN = date(2025, 1, 1)


def acts(number: int) -> list[Event]:
    """What happens to one deal of a year: of 40 members in 8 teams, 100 customers and 7 products; every fourth is lost,
    every twentieth stays open, and the others take from 5 to 94 days."""
    opened = BEGIN + timedelta(days=number * 17 % 330)
    value = Money.of_minor(100_00 + number % 600, "EUR")
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
    fact = DealFact.make(id=f"deal_{number}")
    for event in acts(number):
        deals.fold(fact, event)
    return fact


async def load(store: Store, count: int) -> None:
    """Store so many deals, and the sums they add up to."""
    for start in range(0, min(count, PERIOD), BATCH):
        patterns = {number: fact_of(number) for number in range(start, min(start + BATCH, count, PERIOD))}
        await store.write(Job(partial(_add_up, patterns, count), Context(now())))
        for more in range(0, count, PERIOD):
            await store.write(Job(partial(_put, patterns, more, count), Context(now())))
    await store.write(Job(_trouble, Context(now())))


async def _trouble(tx: Tx) -> None:
    """Ten members were mistreated by a customer each: what was lost with these customers later is a figure too."""
    for number in range(10):
        fact = SetbackFact.make(id=f"set_{number}", shard=shard_of(f"setback/set_{number}"))
        setbacks.fold(fact, SetbackReported(
            person=f"mbr_{number}", kind="mistreatment", severity=2, on=date(2025, 4, 2 + number),
            department="dep_0", team=f"team_{number % 8}", customer=f"cust_{number}",
        ))  # fmt: skip
        tx.put(fact)


async def _add_up(patterns: Mapping[int, DealFact], count: int, tx: Tx) -> None:
    moves = Moves()
    for number, fact in patterns.items():
        times = len(range(number, count, PERIOD))
        for sums, cells in zip(deals.tables, deals.contributions(fact), strict=True):
            moves.move(sums, (), [(key, tuple(times * each for each in numbers)) for key, numbers in cells])
    await moves.store(tx)


async def _put(patterns: Mapping[int, DealFact], more: int, count: int, tx: Tx) -> None:
    for number, fact in patterns.items():
        if number + more < count:
            key = f"deal_{number + more}"
            tx.put(DealFact.make(**fact.content() | {"id": key, "shard": shard_of(f"deal/{key}")}))
