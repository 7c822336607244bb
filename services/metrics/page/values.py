"""Values of the views as people read them: `1,134,672.00 USD`, `82.1 %`, and never a nought for what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

MINUS: Final = "\N{MINUS SIGN}"
NARROW: Final = "\N{NARROW NO-BREAK SPACE}"
NOT_KNOWN: Final = "not known"
_SHORT: Final = ((Decimal(10**9), "bn"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))
_UNITS: Final = {
    "average_days_to_win": "days",
    "time_to_fill": "days",
    "time_to_resolve": "hours",
    "lag": "s",
}
"""What numbers without a unit of their own are counted in, by the key of their figure."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value in words: one line, or several that are never added up, and what stands small beside it."""

    lines: tuple[str, ...]
    beside: str = ""
    known: bool = True
    parts: tuple[tuple[str, Shown], ...] = ()
    """A value that consists of named values."""

    def __str__(self) -> str:
        return "; ".join((*self.lines, *(f"{name}: {part}" for name, part in self.parts)))


def shown(value: Any, figure: str = "") -> Shown:
    """A value of a view as it is read."""
    match value:
        case None:
            return Shown((NOT_KNOWN,), known=False)
        case bool():
            return Shown(("yes" if value else "no",))
        case {"amount": str(), "currency": str()}:
            return Shown((money(value),))
        case {"mixed": True, "amounts": [*amounts]}:
            return Shown(tuple(money(each) for each in amounts), "not added up: several currencies")
        case {"rate": _, "numerator": above, "denominator": below}:
            return Shown((percent(value["rate"]),), f"{text_of(above)} of {text_of(below)}")
        case Mapping():
            parts = tuple((in_words(str(name)), shown(part)) for name, part in value.items())
            return Shown((), parts=parts) if parts else Shown(("none",))
        case str() | int() | Decimal():
            return Shown((_with_unit(value, figure),))
        case Sequence():
            return Shown((), parts=tuple(_entry(each) for each in value)) if value else Shown(("none",))
    return Shown((str(value),))


def text_of(value: Any) -> str:
    """A value in one line."""
    return str(shown(value))


def money(value: Mapping[str, Any]) -> str:
    """An amount with all its places and its currency."""
    return f"{grouped(value['amount'])}{NARROW}{value['currency']}"


def percent(rate: str | Decimal | None) -> str:
    """A share in percent, to one place."""
    if rate is None:
        return NOT_KNOWN
    return f"{_signed((Decimal(rate) * 100).quantize(Decimal('0.1'), ROUND_HALF_EVEN))}{NARROW}%"


def grouped(number: str | int | Decimal) -> str:
    """A number with its thousands apart."""
    return _signed(Decimal(number))


def short(number: Decimal) -> str:
    """A number for an axis: `1.2 M`."""
    for size, letter in _SHORT:
        if abs(number) >= size:
            whole = (number / size).quantize(Decimal("0.1"), ROUND_HALF_UP)
            return f"{_signed(whole.to_integral() if whole == whole.to_integral() else whole)}{NARROW}{letter}"
    return _signed(number.normalize() if number else Decimal(0))


def signed_change(before: Decimal, after: Decimal) -> str:
    """By how much a number has grown, in percent of what it was; nothing where that cannot be said."""
    if not before:
        return ""
    change = ((after - before) / abs(before) * 100).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    return f"{'+' if change > 0 else ''}{_signed(change)}{NARROW}%"


def number_of(value: Any) -> Decimal | None:
    """A value as one number to be drawn or compared; none for what is not one number."""
    match value:
        case bool() | None:
            return None
        case int() | Decimal():
            return Decimal(value)
        case {"rate": str(rate)}:
            return Decimal(rate)
        case {"amount": str(amount), "currency": str()}:
            return Decimal(amount)
        case str():
            try:
                number = Decimal(value)
            except InvalidOperation:
                return None
            return number if number.is_finite() else None
    return None


def currencies_of(value: Any) -> set[str]:
    """The currencies a value speaks of."""
    match value:
        case {"currency": str(currency)}:
            return {currency}
        case {"mixed": True, "amounts": [*amounts]}:
            return {each["currency"] for each in amounts}
    return set()


def in_currency(value: Any, currency: str) -> Decimal | None:
    """What a value is in one currency: nought where it speaks only of others, none where it is not known."""
    match value:
        case {"amount": str(amount), "currency": str(of)}:
            return Decimal(amount) if of == currency else Decimal(0)
        case {"mixed": True, "amounts": [*amounts]}:
            return sum((Decimal(each["amount"]) for each in amounts if each["currency"] == currency), Decimal(0))
    return None


def in_words(key: str) -> str:
    """A key as words: `average_days_to_win` as `Average days to win`."""
    words = key.replace("_", " ").replace("-", " ") if not any(letter.isdigit() for letter in key) else key
    return words[:1].upper() + words[1:]


def day_in_words(day: date) -> str:
    """`31 Jul 2026`."""
    return f"{day.day} {day:%b} {day.year}"


def moment_in_words(text: str | None, zone: str = "UTC") -> str:
    """`31 Jul 2026, 11:00:05 CEST`, in the organisation's time zone."""
    if not text:
        return "nothing yet"
    moment = datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
    return f"{day_in_words(moment.date())}, {moment:%H:%M:%S %Z}"


def _with_unit(value: str | int | Decimal, figure: str) -> str:
    if isinstance(value, str) and number_of(value) is None:
        return value
    unit = _UNITS.get(figure)
    return f"{grouped(value)}{NARROW}{unit}" if unit else grouped(value)


def _entry(value: Any) -> tuple[str, Shown]:
    if isinstance(value, Mapping):
        name = next((str(value[key]) for key in ("name", "label", "ref", "kind") if value.get(key)), "")
        rest = {key: each for key, each in value.items() if key not in ("name", "label", "ref", "kind")}
        return name, shown(rest)
    return "", shown(value)


def _signed(number: Decimal) -> str:
    return f"{abs(number):,f}" if number >= 0 else f"{MINUS}{abs(number):,f}"
