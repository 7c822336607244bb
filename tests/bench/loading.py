"""A million deals and the money that follows from them in the views without the log: the same folds, the same
contributions, stored as the applier stores.

What is left out is what views do not read: the positions of the log, the versions of the subjects, and how many
contributions a cell has. What happens to a deal recurs after PERIOD deals; what recurs is folded once and counted as
often as it is there, which is what adding it up again and again would come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from services.metrics.facts.deals import DealFact, deals
from services.metrics.facts.money import BudgetFact, budgets, expenses, invoices, receipts
from services.metrics.facts.support import SetbackFact, setbacks
from services.metrics.facts.targets import TargetFact, targets
from shared.events import Event
from shared.events.aims import TargetSet
from shared.events.money import BudgetPlanned, ExpenseBooked, InvoiceEntered, Part, ReceiptBooked
from shared.events.support import SetbackReported
from shared.events.targets import Credit, DealLost, DealMoved, DealOpened, DealWon
from shared.facts import Fact, Facts, Moves
from shared.ids import shard_of
from shared.instant import now
from shared.money import Money
from shared.period import Period
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


def _money_of(number: int, won: DealWon) -> Iterator[tuple[Facts[Any], str, Event]]:
    """What follows from a deal that was won: half of them are invoiced, half of these are paid."""
    if number % 2:
        return
    whose: dict[str, Any] = {"customer": won.customer, "team": won.team}
    parts: dict[str, Any] = {"members": (Part(of=won.owner, amount=won.value),),
             "products": (Part(of=won.product or "", amount=won.value),)}  # fmt: skip
    due = won.on + timedelta(days=30)
    yield (
        invoices,
        "invoice",
        InvoiceEntered(deal=f"deal_{number}", amount=won.value, on=won.on, due_on=due, won_on=won.on, **whose, **parts),
    )
    if number % 4 == 0:
        settled: dict[str, Any] = {f"settled_{name}": each for name, each in parts.items()}
        yield receipts, "receipt", ReceiptBooked(
            invoice=f"invoice_{number}", amount=won.value, applied=won.value, on=won.on + timedelta(days=20),
            invoiced_on=won.on, due_on=due, **whose, **parts, **settled,
        )  # fmt: skip


def facts_of(number: int) -> Iterator[tuple[Facts[Any], Fact]]:
    """A deal as the views know it after all that happened to it, and the money that followed from it."""
    told = acts(number)
    deal = DealFact.make(id=f"deal_{number}")
    for event in told:
        deals.fold(deal, event)
    yield deals, deal
    further = list(_money_of(number, told[-1])) if isinstance(told[-1], DealWon) else []
    if number % 10 == 0:
        spent: dict[str, Any] = {"department": "sales", "spent_for": ("travel", "marketing")[number % 20 // 10],
                 "amount": Money.of_minor(10_00, "EUR"), "on": deal.opened_on, "team": deal.team, "member": deal.owner,
                 "customer": deal.customer, "product": deal.product}  # fmt: skip
        further.append((expenses, "expense", ExpenseBooked(**spent)))
    for keeper, kind, event in further:
        fact = keeper.model.make(id=f"{kind}_{number}")
        keeper.fold(fact, event)
        yield keeper, fact


async def load(store: Store, count: int) -> None:
    """Store so many deals with their money, the sums they add up to, and what is aimed at."""
    for start in range(0, min(count, PERIOD), BATCH):
        patterns = {number: list(facts_of(number)) for number in range(start, min(start + BATCH, count, PERIOD))}
        await store.write(Job(partial(_add_up, patterns, count), Context(now())))
        for more in range(0, count, PERIOD):
            await store.write(Job(partial(_put, patterns, more, count), Context(now())))
    await store.write(Job(_trouble, Context(now())))
    await store.write(Job(_aims, Context(now())))


async def _aims(tx: Tx) -> None:
    """Every team and every member has a target for each quarter, and sales a budget."""
    whose = [("team", f"team_{number}", 800_000_00) for number in range(8)]
    whose += [("member", f"mbr_{number}", 160_000_00) for number in range(40)]
    for quarter in range(1, 5):
        period = Period.parse(f"2025-Q{quarter}")
        for level, ref, minor in whose:
            target = TargetFact.make(id=f"tgt_{ref}_{quarter}", shard=shard_of(f"target/tgt_{ref}_{quarter}"))
            targets.fold(target, TargetSet(
                metric="revenue", level=level, ref=ref, period=period, value=Money.of_minor(minor, "EUR")
            ))  # fmt: skip
            tx.put(target)
    budget = BudgetFact.make(id="bud_1", shard=shard_of("budget/bud_1"))
    budgets.fold(budget, BudgetPlanned(
        department="sales", period=Period.parse("2025"), amount=Money.of_minor(500_000_00, "EUR"), on_overrun="warn",
        rows=(),
    ))  # fmt: skip
    tx.put(budget)


async def _trouble(tx: Tx) -> None:
    """Ten members were mistreated by a customer each: what was lost with these customers later is a figure too."""
    for number in range(10):
        fact = SetbackFact.make(id=f"set_{number}", shard=shard_of(f"setback/set_{number}"))
        setbacks.fold(fact, SetbackReported(
            person=f"mbr_{number}", kind="mistreatment", severity=2, on=date(2025, 4, 2 + number),
            department="dep_0", team=f"team_{number % 8}", customer=f"cust_{number}",
        ))  # fmt: skip
        tx.put(fact)


Patterns = Mapping[int, Sequence[tuple[Facts[Any], Fact]]]


async def _add_up(patterns: Patterns, count: int, tx: Tx) -> None:
    moves = Moves()
    for number, told in patterns.items():
        times = len(range(number, count, PERIOD))
        for keeper, fact in told:
            for sums, cells in zip(keeper.tables, keeper.contributions(fact), strict=True):
                moves.move(sums, (), [(key, tuple(times * each for each in numbers)) for key, numbers in cells])
    await moves.store(tx)


async def _put(patterns: Patterns, more: int, count: int, tx: Tx) -> None:
    for number, told in patterns.items():
        for _, fact in told if number + more < count else ():
            named = {
                "id": _again(fact.id, number + more),
                "shard": shard_of(f"{fact.kind}/{_again(fact.id, number + more)}"),
            }
            for of in ("deal", "invoice"):
                if getattr(fact, of, None):
                    named[of] = _again(getattr(fact, of), number + more)
            tx.put(type(fact).make(**fact.content() | named))


def _again(key: str, number: int) -> str:
    return f"{key.partition('_')[0]}_{number}"
