"""Targets: what is aimed at, by whom and until when; set against what is achieved by `shared.attainment`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.targets import Due, TargetChanged, TargetClosed, TargetSet
from shared.money import Money, plain
from shared.period import Period
from shared.store import Entity
from shared.store.types import Json, MoneyText

MONEY_METRICS: Final = ("revenue", "margin")
METRICS: Final = (*MONEY_METRICS, "deals_won", "customers_won")
LEVELS: Final = ("organisation", "department", "team", "group", "member")
Value = Money | Decimal


class TargetExists(Refused):
    """There is a target for {metric} of this {level} in {period} already ({id}); change that one."""

    at = "/period"


class TargetIsClosed(Refused):
    """This target was closed on {on}."""


class WrongUnit(Refused):
    """{metric} is measured in {unit}."""

    status, at = 422, "/value"


class DistributionDoesNotSum(Refused):
    """The distribution sums to {actual}; the target is {value}."""

    status, at = 422, "/distribution"


class OutsideThePeriod(Refused):
    """{on} does not lie in the period {period}."""

    status, at = 422, "/distribution"


class DayTwice(Refused):
    """{on} stands in the distribution more than once; add the values up."""

    status, at = 422, "/distribution"


class Target(Entity, table=True):
    """So much of a metric, aimed at by somebody in a period."""

    __table_args__ = (sa.UniqueConstraint("metric", "level", "ref", "starts_on", "ends_on"),)
    kind: ClassVar[str] = "target"
    prefix: ClassVar[str] = "tgt"
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"level", "ref", "label", "starts_on", "ends_on", "money", "number", "rows"}
    )

    metric: str
    level: str
    ref: str = Field(default="", index=True)
    """Whose, by id; nothing for the organisation."""
    label: str
    starts_on: date
    ends_on: date
    money: Money | None = Field(default=None, sa_type=MoneyText)
    number: str | None = None
    rows: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """How it is distributed, dated: `{"on": day, "value": money or number}`, in order."""
    closed_on: date | None = None

    def worth(self) -> Money | None:
        """A target in money adds its value to the books."""
        return self.money

    @property
    def period(self) -> Period:
        """The days it is for."""
        return Period(self.label, self.starts_on, self.ends_on)

    @property
    def value(self) -> Value:
        """What is aimed at: money, or a number of things."""
        return self.money if self.money is not None else Decimal(self.number or "0")

    @property
    def distribution(self) -> list[tuple[date, Value]]:
        """What is due from each day on, until the next of its days."""
        return [(date.fromisoformat(row["on"]), _value(row["value"])) for row in self.rows]

    @classmethod
    def aim(
        cls,
        *,
        metric: str,
        level: str,
        ref: str | None,
        period: Period,
        value: Value,
        distribution: Sequence[tuple[date, Value]],
        same: Target | None,
        **identity: Any,
    ) -> tuple[Self, TargetSet]:
        """Set a target; `same` is the one there is for this metric, this somebody and these days."""
        if same is not None:
            raise TargetExists(metric=metric, level=level, period=same.label, id=same.id)
        rows = _checked(metric, value, distribution, period)
        target = cls.make(
            metric=metric, level=level, ref=ref or "", label=period.label, starts_on=period.start, ends_on=period.end,
            **_columns(value, rows), **identity,
        )  # fmt: skip
        return target, TargetSet(
            metric=metric, level=level, ref=ref, period=period, value=_told(value), distribution=rows,
            externals=target.externals,
        )  # fmt: skip

    def change(
        self, *, value: Value | None = None, distribution: Sequence[tuple[date, Value]] | None = None
    ) -> TargetChanged | None:
        """Aim at another value; a distribution that does not sum to it must be sent anew."""
        value = self.value if value is None else value
        rows = _checked(self.metric, value, self.distribution if distribution is None else distribution, self.period)
        columns = _columns(value, rows)
        if all(getattr(self, name) == new for name, new in columns.items()):
            return None
        self._refuse_if_closed()
        for name, new in columns.items():
            setattr(self, name, new)
        return TargetChanged(value=_told(value), distribution=rows)

    def close(self, on: date) -> TargetClosed:
        """Stop working on it; it stays to be seen."""
        self._refuse_if_closed()
        self.closed_on = on
        return TargetClosed(on=on)

    def _refuse_if_closed(self) -> None:
        if self.closed_on is not None:
            raise TargetIsClosed(on=self.closed_on)


def _checked(metric: str, value: Value, rows: Sequence[tuple[date, Value]], period: Period) -> tuple[Due, ...]:
    unit: type[Value] = Money if metric in MONEY_METRICS else Decimal
    for each in (value, *(part for _, part in rows)):
        if not isinstance(each, unit):
            raise WrongUnit(metric=metric, unit="money" if unit is Money else "a number, not money")
    days = [day for day, _ in rows]
    for day in days:
        if not period.contains(day):
            raise OutsideThePeriod(on=day, period=period)
        if days.count(day) > 1:
            raise DayTwice(on=day)
    actual = _sum([part for _, part in rows], value)
    if rows and actual != value:
        raise DistributionDoesNotSum(actual=_said(actual), value=_said(value))
    return tuple(Due(on=day, value=_told(part)) for day, part in sorted(rows, key=lambda row: row[0]))


def _sum(parts: Sequence[Value], value: Value) -> Value:
    if isinstance(value, Money):
        return Money.total((part for part in parts if isinstance(part, Money)), value.currency)
    return sum((part for part in parts if isinstance(part, Decimal)), Decimal(0))


def _columns(value: Value, rows: Sequence[Due]) -> dict[str, Any]:
    told = _told(value)
    plainly = [
        {"on": row.on.isoformat(), "value": row.value.as_json() if isinstance(row.value, Money) else row.value}
        for row in rows
    ]
    money, number = (told, None) if isinstance(told, Money) else (None, told)
    return {"money": money, "number": number, "rows": plainly}


def _told(value: Value) -> Money | str:
    return value if isinstance(value, Money) else plain(value)


def _said(value: Value) -> str:
    return str(value) if isinstance(value, Money) else plain(value)


def _value(stored: dict[str, str] | str) -> Value:
    return Money(**stored) if isinstance(stored, dict) else Decimal(stored)
