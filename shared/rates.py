"""Exchange rates by day: what one unit of a currency was worth in another.

The rate of a day is the last one that was set on or before it, in either direction; where a pair has none, it is made
of two that meet in a third currency. Rates are exact fractions; nothing is rounded here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from shared.errors import Refused
from shared.money import Money
from shared.money.currencies import DECIMALS


class MissingRate(Refused):
    """No rate from {base} to {quote} is known for {day}, nor for any day before it; set one at /v1/rates."""

    status = 422


@dataclass(frozen=True, slots=True)
class Quote:
    """From a day on one unit of `base` is worth `rate` units of `quote`."""

    base: str
    quote: str
    on: date
    rate: Fraction


class Rates:
    """All rates that are known."""

    def __init__(self, quotes: Iterable[Quote]) -> None:
        self._by_pair: dict[tuple[str, str], list[tuple[date, Fraction]]] = {}
        for each in sorted(quotes, key=lambda each: each.on):
            self._by_pair.setdefault((each.base, each.quote), []).append((each.on, each.rate))

    def __bool__(self) -> bool:
        return bool(self._by_pair)

    @property
    def currencies(self) -> list[str]:
        """The currencies that any rate speaks of."""
        return sorted({currency for pair in self._by_pair for currency in pair})

    def of(self, base: str, quote: str, day: date) -> Fraction | None:
        """What one unit of `base` was worth on a day; none if no rate leads there."""
        if base == quote:
            return Fraction(1)
        straight = self._straight(base, quote, day)
        if straight is not None:
            return straight
        for third in self.currencies:
            there, on = self._straight(base, third, day), self._straight(third, quote, day)
            if there is not None and on is not None:
                return there * on
        return None

    def convert(self, minor: int | Fraction, base: str, quote: str, day: date) -> Fraction:
        """Minor units of one currency in those of another, at the rate of a day. Raises MissingRate."""
        rate = self.of(base, quote, day)
        if rate is None:
            raise MissingRate(base=base, quote=quote, day=day)
        return in_minor(minor, base, quote, rate)

    def _straight(self, base: str, quote: str, day: date) -> Fraction | None:
        """The youngest of both directions; of one day, the one that was asked for."""
        given, turned = self._last(base, quote, day), self._last(quote, base, day)
        if given is None or (turned is not None and turned[0] > given[0]):
            return None if turned is None else 1 / turned[1]
        return given[1]

    def _last(self, base: str, quote: str, day: date) -> tuple[date, Fraction] | None:
        quotes: Sequence[tuple[date, Fraction]] = self._by_pair.get((base, quote), ())
        place = bisect_right(quotes, day, key=lambda each: each[0])
        return quotes[place - 1] if place else None


def in_minor(minor: int | Fraction, base: str, quote: str, rate: Fraction) -> Fraction:
    """Minor units of one currency in those of another: yen have no decimals, dinars have three."""
    return Fraction(minor) * rate * Fraction(10) ** (DECIMALS[quote] - DECIMALS[base])


def as_money(minor: int | Fraction, currency: str) -> Money:
    """Minor units as money, rounded half-even once."""
    return Money.of_minor(round(minor), currency)


def fraction_of(rate: str) -> Fraction:
    """A rate as it is stored and told."""
    return Fraction(Decimal(rate))
