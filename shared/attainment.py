"""How far a target has been reached. One place for the arithmetic, whoever shows it.

attainment = actual ÷ target, never capped; variance = actual - target, so nothing sold is minus the target;
pace = share of the target attained ÷ share of its time elapsed by a day (1 is on time). Quantities are exact: minor
units of money, or numbers of things.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Attainment:
    """What was aimed at and what was reached, in one unit."""

    target: Decimal
    actual: Decimal
    elapsed: Decimal
    """The share of the target's days that are over, 0 to 1."""

    @property
    def rate(self) -> Decimal | None:
        """Actual ÷ target; none when nothing was aimed at."""
        return (self.actual / self.target).quantize(PLACES, ROUND_HALF_EVEN) if self.target else None

    @property
    def variance(self) -> Decimal:
        """Actual - target; above 0 is good."""
        return self.actual - self.target

    @property
    def pace(self) -> Decimal | None:
        """Attained ÷ due by now; none before the first day is over, or when nothing was aimed at."""
        if not self.target or not self.elapsed:
            return None
        return (self.actual / (self.target * self.elapsed)).quantize(PLACES, ROUND_HALF_EVEN)


def elapsed_share(start: date, end: date, until: date) -> Decimal:
    """Which share of the days from `start` up to, not including, `end` lies before a day."""
    over = (min(max(until, start), end) - start).days
    return Decimal(over) / (end - start).days
