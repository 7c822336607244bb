"""Deals as the views see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.facts.courses import Course, courses
from services.metrics.sums import ALL, Tally, cells
from shared.events.targets import DealChanged, DealLost, DealMoved, DealOpened, DealReopened, DealWon
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json

STAGE_IN, STAGE_OUT = "stage_in:", "stage_out:"
"""What measures begin with that say how much entered and left a stage of the pipeline, by the name of the stage."""


class DealFact(Fact, table=True):
    """A deal: when it was opened and closed, for whom, and what it brought."""

    __tablename__ = "deal_fact"
    __table_args__ = (
        sa.Index("deal_fact_team", "team", "closed_on"),
        sa.Index("deal_fact_owner", "owner", "closed_on"),
        sa.Index("deal_fact_customer", "customer", "closed_on"),
        sa.Index("deal_fact_closed", "status", "closed_on"),
        sa.Index("deal_fact_opened", "opened_on"),
    )
    kind: ClassVar[str] = "deal"

    externals: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    owner: str = ""
    team: str | None = None
    customer: str | None = None
    product: str | None = None
    status: str = "open"
    opened_on: date | None = None
    closed_on: date | None = None
    stages: list[list[str]] = Field(default_factory=list, sa_type=Json)
    """The stages it went through, each with the day it was reached."""
    estimate: int = Field(default=0, sa_type=sa.BigInteger)
    """What it was hoped to bring while it was open, in minor units."""
    estimate_currency: str = ""
    value: int = Field(default=0, sa_type=sa.BigInteger)
    cost: int | None = Field(default=None, sa_type=sa.BigInteger)
    currency: str = ""
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    credits: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)


def contributions(deal: DealFact) -> Iterator[Cell]:
    """What a deal adds to the sums: its opening, its stay in each stage of the pipeline, and its closing."""
    if deal.opened_on is None:
        return
    along = {ALL: "", "team": deal.team, "member": deal.owner, "customer": deal.customer}
    yield from cells("opened", deal.opened_on, {**along, "product": deal.product})
    yield from _pipeline(deal, {**along, "product": deal.product})
    if deal.closed_on is None:
        return
    if deal.status == "lost":
        yield from cells("lost", deal.closed_on, {**along, "product": deal.product})
        return
    yield from _won(deal, deal.closed_on, deal.opened_on)


def _pipeline(deal: DealFact, along: dict[str, str | None]) -> Iterator[Cell]:
    """The estimate enters with the opening and leaves with the closing, and wanders from stage to stage."""
    if not deal.estimate or deal.opened_on is None:
        return
    amount, currency = deal.estimate, deal.estimate_currency
    yield from cells("pipeline_in", deal.opened_on, along, amount=amount, currency=currency)
    if deal.closed_on is not None:
        yield from cells("pipeline_out", deal.closed_on, along, amount=amount, currency=currency)
    for place, (stage, since) in enumerate(deal.stages):
        # A stage is a part of the measure, not a dimension, so that a team's pipeline is known by stage too.
        yield from cells(f"{STAGE_IN}{stage}", date.fromisoformat(since), along, amount=amount, currency=currency)
        until = deal.stages[place + 1][1] if place + 1 < len(deal.stages) else None
        left = date.fromisoformat(until) if until else deal.closed_on
        if left is not None:
            yield from cells(f"{STAGE_OUT}{stage}", left, along, amount=amount, currency=currency)


def _won(deal: DealFact, closed_on: date, opened_on: date) -> Iterator[Cell]:
    days = (closed_on - opened_on).days
    cost, uncosted = deal.cost or 0, 0 if deal.cost is not None else deal.value
    along = {ALL: "", "team": deal.team, "customer": deal.customer}
    yield from cells("won", closed_on, along, amount=deal.value, currency=deal.currency, cost=cost,
                     uncosted=uncosted, took=days)  # fmt: skip
    yield from cells("won", closed_on, {"member": deal.owner}, currency=deal.currency, took=days)
    for credit in deal.credits:
        # A credit is money only: the deal itself is counted once, for its owner.
        minor, its_cost = credit["minor"], credit["cost"]
        yield from cells("won", closed_on, {"member": credit["member"]}, count=0, amount=minor, currency=deal.currency,
                         cost=its_cost or 0, uncosted=0 if its_cost is not None else minor)  # fmt: skip
    for line in deal.lines or [{"product": deal.product, "minor": deal.value, "cost": deal.cost}]:
        known = line["cost"] is not None
        yield from cells("won", closed_on, {"product": line["product"]}, amount=line["minor"], currency=deal.currency,
                         cost=line["cost"] or 0, uncosted=0 if known else line["minor"], took=days)  # fmt: skip


deals = Facts(DealFact, sums=Tally, cells=contributions, further=((Course, courses),))


@deals.on(DealOpened)
def open_deal(deal: DealFact, event: DealOpened) -> None:
    deal.externals = event.externals
    deal.stages = [[event.stage, event.opened_on.isoformat()]]
    _describe(deal, event)


@deals.on(DealChanged)
def change_deal(deal: DealFact, event: DealChanged) -> None:
    _describe(deal, event)
    if deal.stages:
        deal.stages = [[deal.stages[0][0], event.opened_on.isoformat()], *deal.stages[1:]]


@deals.on(DealMoved)
def move_deal(deal: DealFact, event: DealMoved) -> None:
    deal.stages = [*deal.stages, [event.stage, event.on.isoformat()]]


@deals.on(DealWon)
def win_deal(deal: DealFact, event: DealWon) -> None:
    deal.status, deal.closed_on = "won", event.on
    deal.owner, deal.team, deal.customer, deal.product = event.owner, event.team, event.customer, event.product
    deal.value, deal.currency = event.value.minor, event.value.currency
    deal.cost = event.cost.minor if event.cost else None
    deal.lines = [
        {"product": line.product, "minor": line.amount.minor, "cost": line.cost.minor if line.cost else None}
        for line in event.lines
    ]
    costs = event.cost.split([Decimal(credit.share) for credit in event.credits]) if event.cost else []
    deal.credits = [
        {"member": credit.member, "minor": credit.amount.minor, "cost": cost.minor if cost else None}
        for credit, cost in zip_longest(event.credits, costs)
    ]
    deal.total, deal.total_currency = deal.value, deal.currency


@deals.on(DealLost)
def lose_deal(deal: DealFact, event: DealLost) -> None:
    deal.status, deal.closed_on = "lost", event.on


@deals.on(DealReopened)
def reopen_deal(deal: DealFact, event: DealReopened) -> None:
    deal.status, deal.closed_on, deal.value, deal.cost = "open", None, 0, None
    deal.lines, deal.credits, deal.total, deal.total_currency = [], [], 0, ""


def _describe(deal: DealFact, event: DealOpened | DealChanged) -> None:
    deal.owner, deal.opened_on = event.owner, event.opened_on
    deal.team, deal.customer, deal.product = event.team, event.customer, event.product
    deal.estimate = event.value.minor if event.value else 0
    deal.currency = event.value.currency if event.value else deal.currency
    deal.estimate_currency = event.value.currency if event.value else ""
