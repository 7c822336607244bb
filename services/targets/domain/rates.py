"""Rates: what one unit of a currency is worth in another from a day on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Self

import sqlalchemy as sa

from shared.errors import Refused
from shared.events.money import RateChanged, RateSet
from shared.money import plain
from shared.rates import Quote, fraction_of
from shared.store import Entity


class SameCurrency(Refused):
    """A unit of {currency} is worth one unit of {currency}; no rate says so."""

    status, at = 422, "/to"


class RateExists(Refused):
    """The rate from {base} to {quote} of {on} is {rate} already ({id}); change that one."""

    at = "/rate"


class ExchangeRate(Entity, table=True):
    """From a day on one unit of a currency is worth so much of another."""

    __tablename__ = "rate"
    __table_args__ = (sa.UniqueConstraint("base", "quote", "on"),)
    kind: ClassVar[str] = "rate"
    prefix: ClassVar[str] = "rate"
    shown_as: ClassVar[dict[str, str]] = {"base": "from", "quote": "to"}

    base: str
    quote: str
    on: date
    rate: str

    @property
    def as_quote(self) -> Quote:
        """For reckoning with."""
        return Quote(self.base, self.quote, self.on, fraction_of(self.rate))

    @classmethod
    def set(
        cls, *, base: str, quote: str, on: date, rate: Decimal, same: ExchangeRate | None, **identity: Any
    ) -> tuple[Self, RateSet]:
        """Say what a currency is worth; `same` is the rate there is for that day."""
        if base == quote:
            raise SameCurrency(currency=base)
        if same is not None:
            raise RateExists(base=base, quote=quote, on=on, rate=same.rate, id=same.id)
        made = cls.make(base=base, quote=quote, on=on, rate=plain(rate), **identity)
        return made, RateSet(base=base, quote=quote, on=on, rate=made.rate, externals=made.externals)

    def correct(self, rate: Decimal) -> RateChanged | None:
        """It was another one."""
        if plain(rate) == self.rate:
            return None
        self.rate = plain(rate)
        return RateChanged(rate=self.rate)
