"""Amounts in one currency: what happened at the rate of its day, what there is at the rate of the day it is seen on.

Amounts are converted exactly, day by day, and rounded once for each figure of each row: the rows of a breakdown may
differ from the whole by the rounding of each. What no rate is known for stays as it is, and is named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import sqlalchemy as sa

from services.metrics.facts.rates import RateFact
from services.metrics.facts.targets import TargetFact
from services.metrics.views.ledger import Entries, Entry
from services.metrics.views.values import Amounts
from shared.rates import MissingRate, Rates, in_minor
from shared.store import Snapshot

_rate = RateFact.__table__.c  # type: ignore[attr-defined]
_ALL = sa.select(RateFact).where(_rate.on.is_not(None)).order_by(_rate.id)


@dataclass(slots=True)
class Conversion:
    """Into which currency, by which rates; `missing` is what they do not say, with the first day of it."""

    into: str
    rates: Rates
    missing: dict[str, date] = field(default_factory=dict)

    def settle(self, entries: Iterable[Entry], on: date | None) -> None:
        """Convert what entries hold of other currencies, at the rate of its day or of one day for all."""
        for entry in entries:
            sums = [Fraction(0)] * 3
            for (currency, day), (amount, cost, uncosted) in entry.foreign.items():
                rate = self.rates.of(currency, self.into, on or day)
                if rate is None:
                    self.missing[currency] = min(self.missing.get(currency, date.max), on or day)
                    entry.add(currency, 0, amount, cost, uncosted, 0)
                else:
                    sums = [whole + in_minor(part, currency, self.into, rate)
                            for whole, part in zip(sums, (amount, cost, uncosted), strict=True)]  # fmt: skip
            entry.foreign.clear()
            worth, costs, without = (Amounts({self.into: round(each)}) for each in sums)
            entry.amount, entry.cost = entry.amount + worth, entry.cost + costs
            entry.uncosted += without

    def worth(self, minor: Fraction, currency: str, day: date) -> tuple[str, Fraction]:
        """An amount at the rate of a day, in which currency; as it was where no rate is known."""
        rate = self.rates.of(currency, self.into, day)
        if rate is None:
            self.missing[currency] = min(self.missing.get(currency, date.max), day)
            return currency, minor
        return self.into, in_minor(minor, currency, self.into, rate)

    def aimed(self, target: TargetFact) -> TargetFact:
        """A target row by row of its distribution, each at the rate of its day; as it was where no rate is known."""
        if target.currency == self.into:
            return target
        try:
            return target.exchanged(self.into, self.rates)
        except MissingRate as missing:
            day = missing.numbers["day"]
            self.missing[target.currency] = min(self.missing.get(target.currency, date.max), day)
            return target

    def settle_all(self, entries: Entries, on: date | None) -> Entries:
        """All entries of a stretch of days."""
        self.settle(entries.values(), on)
        return entries


async def conversion_into(snapshot: Snapshot, currency: str) -> Conversion:
    """A conversion by all rates that are known."""
    return Conversion(currency, Rates(each.as_quote for each in await snapshot.all(RateFact, _ALL)))
