"""How figures are shown: exact money by currency, rates with what they divide, and what is not known as none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from shared.money import Money


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sums of money by currency, in minor units; currencies are never added up."""

    minor: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Amounts) -> Amounts:
        joined = dict(self.minor)
        for currency, amount in other.minor.items():
            joined[currency] = joined.get(currency, 0) + amount
        return Amounts(joined)

    def __neg__(self) -> Amounts:
        return Amounts({currency: -amount for currency, amount in self.minor.items()})

    def __sub__(self, other: Amounts) -> Amounts:
        return self + -other

    def __bool__(self) -> bool:
        return any(self.minor.values())

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(sorted((currency, amount) for currency, amount in self.minor.items() if amount))

    def of(self, currency: str) -> int:
        """The amount in one currency, in minor units."""
        return self.minor.get(currency, 0)

    def besides(self, currency: str) -> list[str]:
        """Which other currencies than one there is something of."""
        return [code for code, _ in self if code != currency]

    @property
    def only(self) -> tuple[str, int] | None:
        """The one currency and its amount, if no other has any."""
        held = list(self)
        return held[0] if len(held) == 1 else None

    @classmethod
    def total(cls, parts: Iterable[Amounts]) -> Amounts:
        """The sum of several."""
        whole = cls()
        for part in parts:
            whole = whole + part
        return whole


def shown_money(amounts: Amounts, default: str) -> dict[str, Any]:
    """Money in one currency; nothing is zero in the default one; several stand side by side."""
    held = list(amounts)
    if len(held) > 1:
        return {"mixed": True, "amounts": [Money.of_minor(amount, currency).as_json() for currency, amount in held]}
    currency, amount = held[0] if held else (next(iter(amounts.minor), default), 0)
    return Money.of_minor(amount, currency or default).as_json()


def shown_rate(numerator: int, denominator: int) -> dict[str, Any] | None:
    """A share of a count, with both counts; none when there is nothing to divide by."""
    if denominator == 0:
        return None
    return {"rate": decimal(Decimal(numerator) / denominator), "numerator": numerator, "denominator": denominator}


def shown_money_rate(numerator: Amounts, denominator: Amounts) -> dict[str, Any] | None:
    """A share of money in one currency; none across currencies or when there is nothing to divide by."""
    below = denominator.only
    if below is None or any(currency != below[0] for currency, _ in numerator):
        return None
    currency, whole = below
    return {
        "rate": decimal(Decimal(numerator.of(currency)) / whole),
        "numerator": Money.of_minor(numerator.of(currency), currency).as_json(),
        "denominator": Money.of_minor(whole, currency).as_json(),
    }


def decimal(value: Decimal, places: int = 6) -> str:
    """A number as it is shown: rounded half-even once, at the very end."""
    return str(value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN))


def mean(total: int, count: int, places: int = 2) -> str | None:
    """The mean of whole numbers; none of nothing."""
    return decimal(Decimal(total) / count, places) if count else None
