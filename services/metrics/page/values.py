"""Values of the views as people read them: `1,134,672.00 USD`, `82.1 %`, and never a nought for what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from services.metrics.page.amounts import currencies_of, number_of

MINUS: Final = "\N{MINUS SIGN}"
SPACE: Final = "\N{NO-BREAK SPACE}"
NOT_KNOWN: Final = "not known"
_SHORT: Final = ((Decimal(10**9), "bn"), (Decimal(10**6), "M"), (Decimal(10**3), "k"))
_UNITS: Final = {
    "average_days_to_win": "days",
    "sales_cycle_mean": "days",
    "sales_cycle_median": "days",
    "time_to_fill": "days",
    "time_to_resolve": "hours",
    "meeting_hours": "hours",
    "absence_days": "days",
}
"""What numbers without a unit of their own are counted in, by the key of their figure."""


_NAMING: Final = ("name", "label", "ref", "kind", "of")
"""What an entry of a list is called by."""
_MOST_PLACES: Final = 2
_SECONDS: Final = frozenset({"source_age", "view_age", "imports"})
_LONG: Final = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


class Called(str):
    """A name: it is shown as it is, and is no word of ours."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A value in words: one line, or several that are never added up, and what stands small beside it."""

    lines: tuple[str, ...]
    beside: str = ""
    known: bool = True
    number: bool = False
    """Whether it is read as a number, and so stands to the right of its column."""
    parts: tuple[tuple[str, Shown], ...] = ()
    """A value that consists of named values."""

    def __str__(self) -> str:
        return "; ".join((*self.lines, *(f"{name}: {part}" for name, part in self.parts)))


def shown(value: Any, figure: str = "") -> Shown:
    """A value of a view as it is read."""
    match value:
        case None:
            return Shown((NOT_KNOWN,), known=False)
        case Called():
            return Shown((str(value),))
        case bool():
            return Shown(("yes" if value else "no",))
        case {"amount": str(), "currency": str()}:
            return Shown((money(value),), number=True)
        case {"mixed": True, "amounts": [*amounts]}:
            return Shown(tuple(money(each) for each in amounts), "not added up: several currencies", number=True)
        case {"rate": _, "numerator": above, "denominator": below}:
            return Shown((percent(value["rate"]),), f"{text_of(above)} of {text_of(below)}", number=True)
        case Mapping():
            parts = tuple((_word(name), shown(part, figure)) for name, part in value.items())
            return Shown((), parts=parts) if parts else Shown(("none",))
        case float() | int() if figure in _SECONDS:
            return Shown((duration(value),), number=True)
        case str() | int() | float() | Decimal():
            return Shown((_with_unit(value, figure),), number=number_of(value) is not None)
        case [*amounts] if amounts and all(currencies_of(each) for each in amounts):
            return Shown(tuple(money(each) for each in amounts), number=True)
        case Sequence():
            return Shown((), parts=tuple(_entry(each) for each in value)) if value else Shown(("none",))
    return Shown((str(value),))


def text_of(value: Any) -> str:
    """A value in one line."""
    return str(shown(value))


def money(value: Mapping[str, Any]) -> str:
    """An amount with all its places and its currency."""
    return f"{grouped(value['amount'])}{SPACE}{value['currency']}"


def percent(rate: str | Decimal | None) -> str:
    """A share in percent, to one place."""
    if rate is None:
        return NOT_KNOWN
    return f"{_signed((Decimal(rate) * 100).quantize(Decimal('0.1'), ROUND_HALF_EVEN))}{SPACE}%"


def grouped(number: str | int | float | Decimal) -> str:
    """A number with its thousands apart."""
    return _signed(Decimal(str(number)))


def duration(seconds: float) -> str:
    """How long something takes or has been, in its largest unit: `3 minutes`."""
    for size, unit in _LONG:
        if seconds >= 2 * size:
            return f"{grouped(int(seconds // size))}{SPACE}{unit}"
    return f"{grouped(int(seconds))}{SPACE}s"


def short(number: Decimal) -> str:
    """A number for a chart, to three digits: `1.13 M`."""
    for size, letter in _SHORT:
        if abs(number) >= size:
            return f"{_signed(_three_digits(number / size))}{SPACE}{letter}"
    return _signed(_three_digits(number))


def change_of(before: Any, after: Any) -> str:
    """How a value has changed: a share by percentage points, any other number in percent of what it was."""
    then, now = number_of(before), number_of(after)
    if then is None or now is None or currencies_of(before) != currencies_of(after):
        return ""
    if isinstance(after, Mapping) and "rate" in after:
        return f"{_with_sign((now - then) * 100)} points"
    return f"{_with_sign((now - then) / abs(then) * 100)}{SPACE}%" if then else ""


def ticks(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    pieces = [Markup("<code>{}</code>").format(each) if place % 2 else escape(each)
              for place, each in enumerate(text.split("`"))]  # fmt: skip
    return Markup("").join(pieces)


def in_words(key: str) -> str:
    """A key as words: `average_days_to_win` as `Average days to win`."""
    words = key.replace("_", " ")
    if not any(letter.isdigit() for letter in key):
        words = words.replace("-", " ")
    return words[:1].upper() + words[1:]


def _word(name: Any) -> str:
    return str(name) if isinstance(name, Called) else in_words(str(name))


def day_in_words(day: date) -> str:
    """`31 Jul 2026`."""
    return f"{day.day} {day:%b} {day.year}"


def moment_in_words(text: str | None, zone: str = "UTC") -> str:
    """`31 Jul 2026, 11:00:05 CEST`, in the organisation's time zone."""
    if not text:
        return "nothing yet"
    moment = datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
    return f"{day_in_words(moment.date())}, {moment:%H:%M:%S %Z}"


def _with_unit(value: str | int | float | Decimal, figure: str) -> str:
    if isinstance(value, str) and number_of(value) is None:
        return value
    number = Decimal(str(value))
    if -number.as_tuple().exponent > _MOST_PLACES:  # type: ignore[operator]
        number = number.quantize(Decimal(1).scaleb(-_MOST_PLACES), ROUND_HALF_EVEN)
    unit = _UNITS.get(figure)
    return f"{grouped(number)}{SPACE}{unit}" if unit else grouped(number)


def _entry(value: Any) -> tuple[str, Shown]:
    if isinstance(value, Mapping):
        name = next((str(value[key]) for key in _NAMING if value.get(key)), "")
        return name, shown({key: each for key, each in value.items() if key not in _NAMING and each is not None})
    return "", shown(value)


def _three_digits(number: Decimal) -> Decimal:
    rounded = number.quantize(Decimal(1).scaleb(min(0, number.adjusted() - 2)), ROUND_HALF_UP)
    return rounded.to_integral_value() if rounded == rounded.to_integral_value() else rounded.normalize()


def _with_sign(number: Decimal) -> str:
    rounded = number.quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    return f"{'+' if rounded > 0 else ''}{_signed(rounded)}"


def _signed(number: Decimal) -> str:
    return f"{abs(number):,f}" if number >= 0 else f"{MINUS}{abs(number):,f}"
