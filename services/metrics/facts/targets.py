"""Targets as the views see them: few, so they are read as they are and add to no sum."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.facts.lasting import Lasting
from shared.attainment import due_before, exchanged
from shared.events.aims import TargetApproved, TargetChanged, TargetClosed, TargetPlaced, TargetSet
from shared.facts import Facts
from shared.money import Money
from shared.rates import Rates
from shared.store.types import Json


class TargetFact(Lasting, table=True):
    """So much of a metric, aimed at by somebody in a period."""

    __tablename__ = "target_fact"
    __table_args__ = (sa.Index("target_fact_whose", "metric", "level", "ref", "start"),)
    kind: ClassVar[str] = "target"

    metric: str = ""
    level: str = ""
    ref: str = ""
    amount: int = Field(default=0, sa_type=sa.BigInteger)
    """Minor units, of a target in money."""
    currency: str = ""
    number: str | None = None
    """Of a target that counts things."""
    rows: list[list[Any]] = Field(default_factory=list, sa_type=Json)
    """What is due from each day on: minor units, or a number as text."""
    goal: str | None = None
    parent: str | None = None
    """The target that it is a part of."""
    set_late: bool = False
    """Whether it was set, aimed at something else, or approved after its period had begun."""
    closed_on: date | None = None

    @property
    def value(self) -> Fraction:
        """What is aimed at, in minor units or in things."""
        return Fraction(self.amount if self.number is None else self.number)

    def due_before(self, day: date) -> Fraction:
        """What of it is due before a day."""
        rows = [(date.fromisoformat(since), Fraction(part)) for since, part in self.rows]
        return due_before(self.value, rows, self.period, day)

    def exchanged(self, into: str, rates: Rates) -> TargetFact:
        """The same target in another currency at dated rates, its parts exact. Raises MissingRate."""
        rows = [(date.fromisoformat(since), minor) for since, minor in self.rows]
        parts = exchanged(self.amount, rows, self.period, self.currency, into, rates)
        amount = sum(Fraction(part) for _, part in parts)
        told = {"currency": into, "amount": amount, "rows": [[since.isoformat(), part] for since, part in parts]}
        return type(self).make(**self.content() | told)


targets = Facts(TargetFact)


@targets.on(TargetSet)
def set_target(target: TargetFact, event: TargetSet) -> None:
    target.metric, target.level, target.ref = event.metric, event.level, event.ref or ""
    target.parent = event.parent
    target.is_for(event.period)
    change_target(target, event)


@targets.on(TargetChanged)
def change_target(target: TargetFact, event: TargetSet | TargetChanged) -> None:
    target.amount, target.currency, target.number, target.goal = 0, "", None, event.goal
    target.set_late = target.set_late or event.set_after_start
    if isinstance(event.value, Money):
        target.amount, target.currency = event.value.minor, event.value.currency
    else:
        target.number = event.value
    target.total, target.total_currency = target.amount, target.currency
    target.rows = [
        [row.on.isoformat(), row.value.minor if isinstance(row.value, Money) else row.value]
        for row in event.distribution
    ]


@targets.on(TargetApproved)
def approve_target(target: TargetFact, event: TargetApproved) -> None:
    target.set_late = target.set_late or (target.start is not None and event.on > target.start)


@targets.on(TargetPlaced)
def place_target(target: TargetFact, event: TargetPlaced) -> None:
    target.parent = event.parent


@targets.on(TargetClosed)
def close_target(target: TargetFact, event: TargetClosed) -> None:
    target.closed_on = event.on
