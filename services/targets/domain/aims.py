"""What is aimed at: money, or a number of things; summed, multiplied, told and stored alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.errors import Refused
from shared.money import Money, plain, rounded

Value = Money | Decimal


class Unchanged:
    """What is not spoken of."""


UNCHANGED: Final = Unchanged()


class WrongUnit(Refused):
    """{metric} is measured in {unit}."""

    status, at = 422, "/value"


class StretchTooLow(Refused):
    """A stretch lies beyond the target; {stretch} does not lie beyond {value}."""

    status, at = 422, "/stretch"


def check_unit(metric: str, *, money: bool, values: Iterable[Value | None]) -> None:
    """Refuse what is not in the unit of a metric; raises WrongUnit."""
    for each in values:
        if each is not None and isinstance(each, Money) != money:
            raise WrongUnit(metric=metric, unit="money" if money else "a number, not money")


def check_stretch(value: Value, stretch: Value | None, *, lower: bool) -> None:
    """Refuse a stretch that is no more than what is asked for; raises StretchTooLow."""
    if stretch is None:
        return
    beyond = stretch < value if lower else stretch > value  # type: ignore[operator]
    if not beyond:
        raise StretchTooLow(stretch=said(stretch), value=said(value))


def unit_of(value: Value) -> str:
    """The currency of money, or that it is a number."""
    return value.currency if isinstance(value, Money) else "a number"


def times(value: Value, factor: Decimal) -> Value:
    """So many times a value; money is rounded once to its decimals."""
    return value.part(factor) if isinstance(value, Money) else value * factor


def scaled(value: Value, factor: Fraction) -> Value:
    """So many times a value, rounded once: money to its decimals, a number of things to six places."""
    if isinstance(value, Money):
        return Money.of_minor(round(value.minor * factor), value.currency)
    return rounded(Fraction(value) * factor)


def sum_of(parts: Sequence[Value], value: Value) -> Value:
    """The sum of parts that are in the unit of a value."""
    if isinstance(value, Money):
        return Money.total((part for part in parts if isinstance(part, Money)), value.currency)
    return sum((part for part in parts if isinstance(part, Decimal)), Decimal(0))


def told(value: Value) -> Money | str:
    """A value as events tell it."""
    return value if isinstance(value, Money) else plain(value)


def said(value: Value) -> str:
    """A value as a refusal says it."""
    return str(value) if isinstance(value, Money) else plain(value)


def stored(value: Value | None) -> dict[str, str] | str | None:
    """A value as JSON columns keep it."""
    if value is None:
        return None
    return value.as_json() if isinstance(value, Money) else plain(value)


def value_of(kept: dict[str, str] | str) -> Value:
    """A value that a JSON column keeps."""
    return Money(**kept) if isinstance(kept, dict) else Decimal(kept)
