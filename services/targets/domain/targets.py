"""Targets: what the organisation, a department, a team, a group or a member aims at in a stretch of days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.targets import TargetChanged, TargetClosed, TargetSet
from shared.store import Entity

MONEY_METRICS = ("revenue", "margin")
COUNT_METRICS = ("deals_won", "customers_won")


class MetricIsMoney(Refused):
    """{metric} is money: send its value as an amount with a currency."""

    status, at = 422, "/value"


class MetricIsACount(Refused):
    """{metric} is a number of things: send its value as a decimal string."""

    status, at = 422, "/value"


class TargetSetAlready(Refused):
    """For {metric} of {scope} from {start} up to {end} a target is set already; change that one."""

    at = "/period"


class TargetIsClosed(Refused):
    """This target was closed on {on}."""


class Target(Entity, table=True):
    """So much of something, aimed at by somebody, in a stretch of days."""

    kind: ClassVar[str] = "target"
    prefix: ClassVar[str] = "tgt"

    metric: str
    level: str
    ref: str | None = Field(default=None, index=True)
    start: date
    end: date
    value: str
    currency: str | None = None
    closed_on: date | None = None
    reason: str | None = None

    @classmethod
    def aim(
        cls, *, metric: str, level: str, ref: str | None, start: date, end: date, value: Decimal,
        currency: str | None, **identity: Any,
    ) -> tuple[Self, TargetSet]:  # fmt: skip
        """Aim at something."""
        _refuse_wrong_unit(metric, currency)
        text = f"{value:f}"
        target = cls.make(
            metric=metric, level=level, ref=ref, start=start, end=end, value=text, currency=currency, **identity
        )
        return target, TargetSet(
            metric=metric,
            level=level,
            ref=ref,
            start=start,
            end=end,
            value=text,
            currency=currency,
            externals=target.externals,
        )

    def change(self, value: Decimal, currency: str | None, reason: str | None) -> TargetChanged | None:
        """Aim at more or less, for a reason."""
        if self.closed_on is not None:
            raise TargetIsClosed(on=self.closed_on)
        _refuse_wrong_unit(self.metric, currency)
        text = f"{value:f}"
        if (text, currency) == (self.value, self.currency):
            return None
        self.value, self.currency, self.reason = text, currency, reason
        return TargetChanged(value=text, currency=currency)

    def close(self, on: date) -> TargetClosed:
        """Aim at it no more."""
        if self.closed_on is not None:
            raise TargetIsClosed(on=self.closed_on)
        self.closed_on = on
        return TargetClosed(on=on)


def _refuse_wrong_unit(metric: str, currency: str | None) -> None:
    if metric in MONEY_METRICS and currency is None:
        raise MetricIsMoney(metric=metric)
    if metric in COUNT_METRICS and currency is not None:
        raise MetricIsACount(metric=metric)
