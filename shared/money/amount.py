"""Exact amounts of money in one currency; never a float, never two currencies in one sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Self

from shared.errors import Refused
from shared.money.currencies import DECIMALS, codes_with, fault_of
from shared.money.form import Monetary, NotMoney, amount_schema, parts_of, pattern

_LARGEST = 2**63 - 1
_SCALES = {code: 10**places for code, places in DECIMALS.items()}
_set = object.__setattr__


class CurrencyMismatch(Refused):
    """An amount in {left} and an amount in {right} cannot be combined; convert one of them with a dated rate first."""


class Money(Monetary):
    """An exact amount in one currency, `{"amount": "12.30", "currency": "EUR"}` in bodies.

    At most 15 digits before the point and as many behind it as the currency has. Raises NotMoney when the amount is
    not a plain decimal number or the currency is not in force.
    """

    __slots__ = ("currency", "minor")
    digits: ClassVar[int] = 15
    minor: int
    currency: str

    def __init__(self, amount: str | int | Decimal, currency: str) -> None:
        places = DECIMALS.get(currency) if isinstance(currency, str) else None
        if places is None:
            raise NotMoney("currency", fault_of(currency))
        sign, whole, part = parts_of(amount, self.digits)
        if len(part) > places:
            allowed = f"at most {places} decimals" if places else "no decimals"
            raise NotMoney("amount", f"An amount in {currency} has {allowed}; {amount} has {len(part)}.")
        minor = int(whole + part.ljust(places, "0"))
        _set(self, "minor", -minor if sign else minor)
        _set(self, "currency", currency)

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> Self:
        """So many of the currency's smallest units: 1230 EUR cents are 12.30 EUR. Raises NotMoney."""
        if currency not in DECIMALS:
            raise NotMoney("currency", fault_of(currency))
        if not -_LARGEST <= minor <= _LARGEST:
            raise NotMoney("amount", f"{minor} smallest units of {currency} are more than can be kept.")
        made = cls.__new__(cls)
        _set(made, "minor", minor)
        _set(made, "currency", currency)
        return made

    @classmethod
    def zero(cls, currency: str) -> Self:
        """No money, in a currency."""
        return cls.of_minor(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str) -> Self:
        """The sum of amounts that are all in this currency, 0 of none. Raises CurrencyMismatch."""
        minor = 0
        for amount in amounts:
            if amount.currency != currency:
                raise CurrencyMismatch(left=currency, right=amount.currency)
            minor += amount.minor
        return cls.of_minor(minor, currency)

    @property
    def text(self) -> str:
        """The amount as it is written in bodies: `12.30`, `-0.05`, `1500` (yen)."""
        places = DECIMALS[self.currency]
        if not places:
            return str(self.minor)
        whole, part = divmod(abs(self.minor), _SCALES[self.currency])
        return f"{'-' if self.minor < 0 else ''}{whole}.{part:0{places}d}"

    def part(self, share: Decimal) -> Self:
        """This share of the amount, rounded half-even once to the currency's decimals."""
        return self.of_minor(round(self.minor * Fraction(share)), self.currency)

    def split(self, shares: Sequence[Decimal | Fraction]) -> list[Self]:
        """The amount dealt out by shares that sum to 1, so that the parts sum to it exactly.

        Each part is rounded towards zero; the units left over go one each to those who lost most by it, the first of
        equals first. Raises ValueError when the shares do not sum to 1.
        """
        if len(shares) == 1 and shares[0] == 1:
            return [self]
        fractions = [Fraction(share) for share in shares]
        total = sum(fractions, Fraction(0))
        if total != 1:
            raise ValueError(f"the shares sum to {Decimal(total.numerator) / total.denominator}, not to 1")
        sign, whole = (-1 if self.minor < 0 else 1), abs(self.minor)
        parts = [int(whole * fraction) for fraction in fractions]
        lost_most = sorted(range(len(parts)), key=lambda at: parts[at] - whole * fractions[at])
        for at in lost_most[: whole - sum(parts)]:
            parts[at] += 1
        return [self.of_minor(sign * part, self.currency) for part in parts]

    def __add__(self, other: Money) -> Self:
        return self.of_minor(self.minor + self._minor_of(other), self.currency)

    def __sub__(self, other: Money) -> Self:
        return self.of_minor(self.minor - self._minor_of(other), self.currency)

    def __neg__(self) -> Self:
        return self.of_minor(-self.minor, self.currency)

    def __abs__(self) -> Self:
        return self.of_minor(abs(self.minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._minor_of(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._minor_of(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._minor_of(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._minor_of(other)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor == other.minor and self.currency == other.currency

    def __hash__(self) -> int:
        return hash((self.minor, self.currency))

    def __reduce__(self) -> tuple[Any, ...]:
        # By minor units: a sum may have more digits than a body may send.
        return type(self).of_minor, (self.minor, self.currency)

    def _minor_of(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money combines with money only, not with {type(other).__name__}")
        if other.currency != self.currency:
            raise CurrencyMismatch(left=self.currency, right=other.currency)
        return other.minor

    @classmethod
    def _schema(cls) -> dict[str, Any]:
        schema = amount_schema(
            "Money",
            "An exact amount in one currency. The amount is a string, because a JSON number would lose cents.",
            cls.digits,
            max(DECIMALS.values()),
            "12.30",
        )
        schema["anyOf"] = [
            {
                "properties": {
                    "amount": {"pattern": pattern(cls.digits, places)},
                    "currency": {"enum": codes_with(places)},
                }
            }
            for places in sorted(set(DECIMALS.values()))
        ]
        return schema
