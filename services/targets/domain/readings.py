"""Readings: how much of a metric was measured of somebody on a day, where it is not computed from other facts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.goals import ReadingTaken, ReadingWithdrawn
from shared.money import Money, plain
from shared.store import Entity
from shared.store.types import MoneyText


class ReadingIsWithdrawn(Refused):
    """This reading was withdrawn on {on}."""


class ComputedMetric(Refused):
    """{metric} is computed from the facts that are known ({basis}); no readings of it are taken."""

    status, at = 422, "/metric"


class Reading(Entity, table=True):
    """So much of a metric, measured of somebody on a day."""

    __table_args__ = (sa.Index("reading_metric_on", "metric", "on"),)
    kind: ClassVar[str] = "reading"
    prefix: ClassVar[str] = "rdg"
    hidden: ClassVar[frozenset[str]] = frozenset({"level", "ref", "money", "number"})

    metric: str
    level: str
    ref: str = ""
    on: date
    money: Money | None = Field(default=None, sa_type=MoneyText)
    number: str | None = None
    member: str | None = Field(default=None, index=True)
    team: str | None = Field(default=None, index=True)
    """The team it counts for: the member's of that day, where it was measured of a member."""
    department: str | None = None
    withdrawn_on: date | None = None

    def worth(self) -> Money | None:
        """Readings are figures about the books, not entries in them."""
        return None

    @property
    def value(self) -> Money | Decimal:
        """What was measured."""
        return self.money if self.money is not None else Decimal(self.number or "0")

    @classmethod
    def take(
        cls, *, metric: str, level: str, ref: str | None, on: date, value: Money | Decimal, **place: Any
    ) -> tuple[Self, ReadingTaken]:
        """Note what was measured; `place` says for which member, team and department it counts."""
        money, number = (value, None) if isinstance(value, Money) else (None, plain(value))
        reading = cls.make(metric=metric, level=level, ref=ref or "", on=on, money=money, number=number, **place)
        return reading, ReadingTaken(
            metric=metric, level=level, ref=ref, on=on, value=money if money is not None else number or "0",
            member=reading.member, team=reading.team, department=reading.department, externals=reading.externals,
        )  # fmt: skip

    def withdraw(self, on: date) -> ReadingWithdrawn:
        """Say that it was wrong; another one is taken instead."""
        if self.withdrawn_on is not None:
            raise ReadingIsWithdrawn(on=self.withdrawn_on)
        self.withdrawn_on = on
        return ReadingWithdrawn(on=on)
