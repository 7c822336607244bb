"""Exchange rates as the views know them."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from shared.events.money import RateChanged, RateSet
from shared.facts import Fact, Facts
from shared.rates import Quote, fraction_of


class RateFact(Fact, table=True):
    """From a day on one unit of a currency is worth so much of another."""

    __tablename__ = "rate_fact"
    kind: ClassVar[str] = "rate"

    base: str = ""
    quote: str = ""
    on: date | None = None
    rate: str = ""

    @property
    def as_quote(self) -> Quote:
        """For reckoning with."""
        assert self.on is not None
        return Quote(self.base, self.quote, self.on, fraction_of(self.rate))


rates = Facts(RateFact)


@rates.on(RateSet)
def set_rate(rate: RateFact, event: RateSet) -> None:
    rate.base, rate.quote, rate.on, rate.rate = event.base, event.quote, event.on, event.rate


@rates.on(RateChanged)
def change_rate(rate: RateFact, event: RateChanged) -> None:
    rate.rate = event.rate
