"""How far a target is reached: one arithmetic for everybody who shows it.

Values are whole minor units of one currency, or decimal numbers of things; nothing is rounded before it is shown.
Variance is positive when it is good. Attainment is 1 + variance ÷ target whichever direction is better: 1 at exactly
the target, never capped. Nothing achieved is the whole target missing, not nothing missing. Pace sets what is attained
against what the distribution has due: 1 is on time, less is behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from shared.money import rounded
from shared.period import Period
from shared.rates import Rates

Number = int | Decimal | Fraction
Row = tuple[date, Number]
ON_TRACK, AT_RISK = Fraction(95, 100), Fraction(80, 100)
"""From which pace on a target is on track, and from which at risk."""


def due_before(value: Number, rows: Sequence[Row], period: Period, day: date) -> Fraction:
    """How much of a target is due before a day.

    A row is due evenly over the days from its own to the next row's, the last one to the period's end; without rows
    the whole value is due evenly over the period.
    """
    if not rows:
        if day <= period.start:
            return Fraction(0)
        return Fraction(value) * (day - period.start).days / period.days if day < period.end else Fraction(value)
    dated = sorted(rows, key=lambda row: row[0])
    if day >= period.end or day <= dated[0][0]:
        return sum((Fraction(part) for _, part in dated), Fraction(0)) if day >= period.end else Fraction(0)
    ends = [start for start, _ in dated[1:]] + [period.end]
    due = Fraction(0)
    for (start, part), end in zip(dated, ends, strict=True):
        elapsed = min(max((day - start).days, 0), (end - start).days)
        due += Fraction(part) * elapsed / (end - start).days
    return due


def exchanged(value: int, rows: Sequence[Row], period: Period, base: str, quote: str, rates: Rates) -> list[Row]:
    """What of a target is due from each day on, in another currency at the rate of that day; without rows all of it at
    the rate of its first day. Raises MissingRate."""
    dated: Sequence[tuple[date, Any]] = rows or [(period.start, value)]
    return [(day, rates.convert(part, base, quote, day)) for day, part in dated]


@dataclass(frozen=True, slots=True)
class Attainment:
    """What was aimed at, what was achieved, and how much of it was due by then."""

    value: Fraction
    actual: Fraction
    due: Fraction
    lower: bool = False
    """Whether less is better."""

    @classmethod
    def judge(
        cls,
        value: Number,
        actual: Number,
        rows: Sequence[Row],
        period: Period,
        before: date,
        *,
        lower: bool = False,
        adds_up: bool = True,
    ) -> Attainment:
        """The state of a target at the end of the day before `before`; what does not add up over the days, as a mean,
        is due as a whole from the first day on."""
        due = due_before(value, rows, period, before) if adds_up or before <= period.start else Fraction(value)
        return cls(Fraction(value), Fraction(actual), due, lower)

    @property
    def variance(self) -> Fraction:
        """How much better than the target: actual - target, or the other way round where less is better."""
        return self.value - self.actual if self.lower else self.actual - self.value

    @property
    def rate(self) -> Fraction | None:
        """Attainment: 1 + variance ÷ target; not known of a target of nothing."""
        return 1 + self.variance / self.value if self.value else None

    @property
    def reached(self) -> bool:
        """Whether it is as good as was aimed at."""
        return self.variance >= 0

    @property
    def health(self) -> str | None:
        """How it goes, from its pace: `on_track` from 0.95 on, `at_risk` from 0.8 on, else `behind`; not known before
        anything is due."""
        if not self.due:
            return None
        pace = self._good(self.due) / self.due
        return "on_track" if pace >= ON_TRACK else "at_risk" if pace >= AT_RISK else "behind"

    def _good(self, aim: Fraction) -> Fraction:
        """What counts towards an aim: the actual, or what is left of twice the aim where less is better."""
        return 2 * aim - self.actual if self.lower else self.actual

    def shown(self, unit: Callable[[Fraction], Any]) -> dict[str, Any]:
        """The figures of a target; `unit` says how an amount is shown. Shares of a target of nothing are not known."""
        return {
            "target": unit(self.value),
            "actual": unit(self.actual),
            "attainment": _share(self._good(self.value), self.value, unit),
            "variance": unit(self.variance),
            "variance_rate": _rate(self.variance, self.value),
            "pace": self._pace(unit),
        }

    def _pace(self, unit: Callable[[Fraction], Any]) -> dict[str, Any] | None:
        share = _share(self._good(self.due), self.due, unit)
        if share is None:
            return None
        return share | {"attained": _rate(self._good(self.value), self.value), "elapsed": _rate(self.due, self.value)}


def _share(part: Fraction, whole: Fraction, unit: Callable[[Fraction], Any]) -> dict[str, Any] | None:
    rate = _rate(part, whole)
    return None if rate is None else {"rate": rate, "numerator": unit(part), "denominator": unit(whole)}


def _rate(part: Fraction, whole: Fraction) -> str | None:
    if not whole:
        return None
    return f"{rounded(part / whole):f}"
