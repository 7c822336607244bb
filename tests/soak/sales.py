"""Deals from their opening to the last cent that comes in for them, and what departments spend."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from shared.events.money import (
    ExpenseBooked,
    ExpenseReversed,
    InvoiceCredited,
    InvoiceEntered,
    InvoiceVoided,
    InvoiceWrittenOff,
    ReceiptBooked,
    ReceiptReversed,
)
from shared.events.targets import Credit, DealAmended, DealLost, DealMoved, DealOpened, DealReopened, DealWon, Line
from shared.money import Money
from tests.soak.lives import Figures, Life, Thing, Told

STAGES = ("engaging", "offered", "negotiating")
SHARES = (("1",), ("0.6", "0.4"), ("0.5", "0.3", "0.2"))


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells, and for which team."""

    member: str
    team: str


@dataclass(frozen=True, slots=True)
class Sale:
    """A deal that is won: what its invoices say of it."""

    deal: str
    customer: str
    team: str
    on: date
    cents: int


def later(day: date, chance: Random, most: int) -> date:
    """Another day, some days on."""
    return day + timedelta(days=chance.randrange(1, most))


def euros(cents: int) -> Money:
    """So many cents."""
    return Money.of_minor(cents, "EUR")


def agreed(chance: Random, cents: int, sellers: Sequence[Seller], products: Sequence[str]) -> dict[str, Any]:
    """What is agreed on: the whole, its lines with their costs, and who is credited with how much of it."""
    value = euros(cents)
    shares = SHARES[chance.randrange(min(len(SHARES), len(sellers)))]
    parts = value.split([Decimal(share) for share in shares])
    sold = value.split([Decimal(1)] if chance.random() < 0.7 else [Decimal("0.5"), Decimal("0.5")])
    lines = tuple(
        Line(product=chance.choice(products), quantity="1", amount=amount, cost=euros(amount.minor // 2))
        for amount in sold
    )
    credits = tuple(
        Credit(member=seller.member, share=share, amount=amount)
        for seller, share, amount in zip(sellers, shares, parts, strict=False)
    )
    cost = Money.total((line.cost for line in lines if line.cost), "EUR")
    return {"value": value, "lines": lines, "credits": credits, "cost": cost}


def deal(
    thing: Thing,
    chance: Random,
    day: date,
    sellers: Sequence[Seller],
    customer: str,
    products: Sequence[str],
    figures: Figures,
) -> Life:
    """A deal of the first of these sellers; some stay open, some are lost, some are amended or reopened later."""
    owner, worth = sellers[0], chance.randrange(100, 1_000_000)
    whose: dict[str, Any] = {"owner": owner.member, "team": owner.team, "customer": customer, "product": products[0]}
    figures.add("sales", "deals_opened")
    figures.add("sales", "deals_open")
    yield thing.tells(DealOpened(opened_on=day, stage="prospecting", value=euros(worth), **whose))
    for stage in STAGES[: chance.randrange(len(STAGES) + 1)]:
        day = later(day, chance, 10)
        yield thing.tells(DealMoved(stage=stage, on=day))
    turn, day = chance.random(), later(day, chance, 30)
    if turn < 0.1:
        return
    figures.add("sales", "deals_open", -1)
    if turn < 0.3:
        figures.add("sales", "deals_lost")
        yield thing.tells(DealLost(on=day))
        return
    figures.won(owner.team, day, worth, 1)
    yield thing.tells(DealWon(on=day, **agreed(chance, worth, sellers, products), **whose), worth)
    if turn < 0.35:
        figures.won(owner.team, day, -worth, -1)
        figures.add("sales", "deals_open")
        yield thing.tells(DealReopened(on=later(day, chance, 10)), -worth)
        return
    sale = Sale(thing.id, customer, owner.team, day, worth)
    if turn < 0.4:
        yield _amended(thing, chance, sale, sellers, products, figures)
    if turn < 0.9:
        yield from _invoice(Thing(f"invoice/inv_of_{thing.id}"), chance, sale, figures)


def _amended(
    thing: Thing, chance: Random, sale: Sale, sellers: Sequence[Seller], products: Sequence[str], figures: Figures
) -> Told:
    on, more = later(sale.on, chance, 20), chance.randrange(1, 10_000)
    figures.won(sale.team, on, more, 0)
    return thing.tells(DealAmended(on=on, **agreed(chance, sale.cents + more, sellers, products)), more)


def _invoice(thing: Thing, chance: Random, sale: Sale, figures: Figures) -> Life:
    on = later(sale.on, chance, 15)
    due, owed, turn = on + timedelta(days=30), sale.cents, chance.random()
    whose: dict[str, Any] = {"customer": sale.customer, "team": sale.team}
    figures.add("accounting", "invoiced", owed)
    figures.add("accounting", "outstanding", owed)
    told = InvoiceEntered(deal=sale.deal, amount=euros(owed), on=on, due_on=due, won_on=sale.on, **whose)
    yield thing.tells(told, owed)
    if turn < 0.05:
        figures.add("accounting", "invoiced", -owed)
        figures.add("accounting", "outstanding", -owed)
        yield thing.tells(InvoiceVoided(on=later(on, chance, 10)), -owed)
        return
    for most, kind, figure in ((0.15, InvoiceCredited, "credited"), (0.2, InvoiceWrittenOff, "written_off")):
        if turn < most and owed > 10:
            taken = owed // 10
            owed -= taken
            figures.add("accounting", figure, taken)
            figures.add("accounting", "outstanding", -taken)
            yield thing.tells(kind(amount=euros(taken), on=later(on, chance, 20)))
    for number in range(chance.randrange(3)):
        paid = owed if number else owed // 2
        if paid:
            paying = Thing(f"receipt/rcp_{number}_of_{thing.id}")
            back = yield from _receipt(paying, chance, ReceiptBooked(
                invoice=thing.id, amount=euros(paid), applied=euros(paid), on=later(on, chance, 60), invoiced_on=on,
                due_on=due, **whose,
            ), figures)  # fmt: skip
            owed -= 0 if back else paid


def _receipt(thing: Thing, chance: Random, booked: ReceiptBooked, figures: Figures) -> Generator[Told, None, bool]:
    """Money that comes in, and whether it went back."""
    cents, back = booked.amount.minor, chance.random() < 0.1
    figures.add("accounting", "received", cents)
    figures.add("accounting", "outstanding", -cents)
    yield thing.tells(booked, cents)
    if back:
        figures.add("accounting", "received", -cents)
        figures.add("accounting", "outstanding", cents)
        yield thing.tells(ReceiptReversed(on=later(booked.on, chance, 10)), -cents)
    return back


def expense(thing: Thing, chance: Random, day: date, figures: Figures) -> Life:
    """A department spends money; some of it comes back."""
    cents = chance.randrange(100, 100_000)
    department, kind = chance.choice(("sales", "it", "hr")), chance.choice(("travel", "licences", "rent"))
    figures.add("accounting", "spent", cents)
    yield thing.tells(ExpenseBooked(department=department, spent_for=kind, amount=euros(cents), on=day), cents)
    if chance.random() < 0.1:
        figures.add("accounting", "spent", -cents)
        yield thing.tells(ExpenseReversed(on=later(day, chance, 20)), -cents)
