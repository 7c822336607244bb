"""What a cell says: a text, a day, an exact number, an amount of money; and, if it does not, what would be right."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from shared.instant import read_day
from shared.money import Money, NotMoney

NOTHING = frozenset({"", "NULL", "null", "None", "N/A", "n/a", "#N/A"})
NAME_LENGTH = 200
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: \d{1,2}:\d\d(?::\d\d)?(?: ?[AP]M)?)?", re.ASCII)
_BLANKS = re.compile("[ '\u00a0\u202f\u2009\u2019]")
_NUMBER = re.compile(r"(?P<open>\()?(?P<sign>[-\u2212])?(?P<before>[A-Z]{3}|[$€£¥])?(?P<sign2>[-\u2212])?"
                     r"(?P<digits>\d[\d.,]*)(?P<after>[A-Z]{3}|[$€£¥])?(?P<close>\))?", re.ASCII)  # fmt: skip
_PLAIN = re.compile(r"\d+(\.\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_POINTED_THOUSANDS = re.compile(r"\d{1,3}((\.\d{3})+,\d+|(\.\d{3}){2,})")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")
_DOLLARS = frozenset(
    "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD XCD".split()
)
_SIGNS = {"$": _DOLLARS, "€": {"EUR"}, "£": {"GBP", "EGP", "FKP", "GIP", "SHP"}, "¥": {"JPY", "CNY"}}


class BadCell(Exception):
    """A cell does not hold what it must; the message names the column and says what would be right."""


def text(value: str) -> str | None:
    """A cell without blanks around it; none when it says nothing."""
    bare = value.strip()
    return None if bare in NOTHING else bare


def name(column: str, value: str) -> str:
    """A cell as the name of something. Raises BadCell."""
    if len(value) > NAME_LENGTH:
        raise BadCell(f"{column} has {len(value)} characters; a name has at most {NAME_LENGTH}")
    if not value.isprintable():
        raise BadCell(f"{column} is {value!r}; a name has no control characters")
    return value


@lru_cache(maxsize=16_384)
def day(column: str, value: str) -> date:
    """A day from `2017-03-01`, with or without a time, or from `3/1/2017`, the month first. Raises BadCell."""
    iso, slashed = _ISO.fullmatch(value), _SLASHED.fullmatch(value)
    if iso:
        written = iso[1]
    elif slashed:
        written = f"{slashed[3]}-{slashed[1]:0>2}-{slashed[2]:0>2}"
    else:
        raise BadCell(f"{column} is {value!r}; a day is written as 2017-03-01, or as 3/1/2017 with the month first")
    try:
        return read_day(written)
    except ValueError as fault:
        raise BadCell(f"{column} is {value!r}; {fault}") from None


def day_first(value: str) -> bool | None:
    """Whether a day with slashes can only have its day, or only its month, first; none when it may be either."""
    slashed = _SLASHED.fullmatch(value)
    if slashed is None or (int(slashed[1]) > 12) == (int(slashed[2]) > 12):
        return None
    return int(slashed[1]) > 12


@lru_cache(maxsize=16_384)
def number(column: str, value: str) -> Decimal:
    """An exact number: `1054`, `1,054.00`, `1.054,00`, `1054,5`. Raises BadCell."""
    return _parts(column, value)[0]


@lru_cache(maxsize=16_384)
def money(column: str, value: str, currency: str) -> Money:
    """An amount of money in this currency: as a number, with or without its sign: `$1,054.00`. Raises BadCell."""
    amount, sign = _parts(column, value)
    if sign is not None and currency not in _SIGNS.get(sign, {sign}):
        raise BadCell(f"{column} is {value!r}, but this import is in {currency}; choose the file's with --currency")
    try:
        return Money(f"{amount:f}", currency)
    except NotMoney as fault:
        raise BadCell(f"{column} is {value!r}; {fault}") from None


def _parts(column: str, value: str) -> tuple[Decimal, str | None]:
    """An exact number and the currency beside it."""
    found = _NUMBER.fullmatch(_BLANKS.sub("", value))
    exact = _plain(found["digits"]) if found is not None else None
    signs = [found[part] for part in ("open", "sign", "sign2") if found[part]] if found is not None else []
    if found is None or exact is None or len(signs) > 1 or (found["open"] is None) != (found["close"] is None):
        raise BadCell(f"{column} is {value!r}, which is not a number; write 1054.50 or 1.054,50")
    return Decimal(f"-{exact}" if signs else exact), found["before"] or found["after"]


def _plain(digits: str) -> str | None:
    """Digits with a point before the decimals and nothing between the thousands; none when they are no number."""
    if _PLAIN.fullmatch(digits):
        return digits
    if _THOUSANDS.fullmatch(digits):
        return digits.replace(",", "")
    if _POINTED_THOUSANDS.fullmatch(digits):
        return digits.replace(".", "").replace(",", ".")
    return digits.replace(",", ".") if _DECIMAL_COMMA.fullmatch(digits) else None
