"""How far a target is reached: one arithmetic for everybody who shows it.

Values are whole minor units of one currency, or decimal numbers of things; nothing is rounded before it is shown.
Attainment is never capped, and nothing achieved is the whole target missing, not nothing missing. Pace sets the share
that is attained against the share of the distribution that is over: 1 is on time, less is behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from shared.period import Period

Number = int | Decimal | Fraction
Row = tuple[date, Number]
PLACES = 6


def due_before(value: Number, rows: Sequence[Row], period: Period, day: date) -> Fraction:
    """How much of a target is due before a day.

    A row is due evenly over the days from its own to the next row's, the last one to the period's end; without rows
    the whole value is due evenly over the period.
    """
    dated = sorted(rows, key=lambda row: row[0]) or [(period.start, value)]
    ends = [start for start, _ in dated[1:]] + [period.end]
    due = Fraction(0)
    for (start, part), end in zip(dated, ends, strict=True):
        elapsed = min(max((day - start).days, 0), (end - start).days)
        due += Fraction(part) * elapsed / (end - start).days
    return due


@dataclass(frozen=True, slots=True)
class Attainment:
    """What was aimed at, what was achieved, and how much of it was due by then."""

    value: Fraction
    actual: Fraction
    due: Fraction

    @classmethod
    def judge(cls, value: Number, actual: Number, rows: Sequence[Row], period: Period, before: date) -> Attainment:
        """The state of a target at the end of the day before `before`."""
        return cls(Fraction(value), Fraction(actual), due_before(value, rows, period, before))

    @property
    def variance(self) -> Fraction:
        """Actual without target: positive is good."""
        return self.actual - self.value

    def shown(self, unit: Callable[[Fraction], Any]) -> dict[str, Any]:
        """The figures of a target; `unit` says how an amount is shown. Shares of a target of nothing are not known."""
        return {
            "target": unit(self.value),
            "actual": unit(self.actual),
            "attainment": _share(self.actual, self.value, unit),
            "variance": unit(self.variance),
            "variance_rate": _rate(self.variance, self.value),
            "pace": self._pace(unit),
        }

    def _pace(self, unit: Callable[[Fraction], Any]) -> dict[str, Any] | None:
        share = _share(self.actual, self.due, unit)
        if share is None:
            return None
        return share | {"attained": _rate(self.actual, self.value), "elapsed": _rate(self.due, self.value)}


def _share(part: Fraction, whole: Fraction, unit: Callable[[Fraction], Any]) -> dict[str, Any] | None:
    rate = _rate(part, whole)
    return None if rate is None else {"rate": rate, "numerator": unit(part), "denominator": unit(whole)}


def _rate(part: Fraction, whole: Fraction) -> str | None:
    if not whole:
        return None
    # Fractions round half to even.
    return f"{Decimal(round(part / whole * 10**PLACES)).scaleb(-PLACES):f}"
