"""The ledger of a question: the sums it needs, read once, by whose they are.

A question that looks along one dimension reads the sums of that dimension. One that looks along two at once (the
customers of a team) has no sums of its own: its cells are made from the facts that pass the filter, by the same
contributions that feed the sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Protocol

import sqlalchemy as sa

from services.metrics.sums import DAY, MONTH, Tally
from services.metrics.views.values import Amounts
from shared.facts import Cell
from shared.store import Snapshot

_tally = Tally.__table__.c  # type: ignore[attr-defined]
PARTS: Final = ("inside", "before", "until")
_NUMBERS = ("count", "amount", "cost", "uncosted", "took")


def _cells_of(start: Any, first: Any, last: Any, end: Any) -> sa.ColumnElement[bool]:
    """Whole months from `first` to `last` by their month cells, the days at both ends by their day cells."""
    return sa.or_(
        sa.and_(_tally.grain == MONTH, _tally.start >= first, _tally.start < last),
        sa.and_(_tally.grain == DAY, _tally.start >= start, _tally.start < first),
        sa.and_(_tally.grain == DAY, _tally.start >= last, _tally.start < end),
    )


_WITHIN = _cells_of(*(sa.bindparam(name, type_=sa.Date()) for name in ("start", "first", "last", "end")))
_COLUMNS = (_tally.key, _tally.measure, _tally.currency, *(_tally[name] for name in _NUMBERS))
_DIM = _tally.dim == sa.bindparam("dim")


def _added(cells: Any, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    numbers = (sa.cast(sa.func.sum(cells[name]), sa.BigInteger) for name in _NUMBERS)
    found = sa.select(cells.key, cells.measure, cells.currency, *numbers).where(*conditions)
    return found.group_by(cells.key, cells.measure, cells.currency)


# Of all keys the cells are found by their days, stretch by stretch: their number is that of the days, not of the deals.
_OF_ALL = _added(sa.union_all(*(sa.select(*_COLUMNS).where(_DIM, each) for each in _WITHIN.clauses)).subquery().c)
_OF_ONE = _added(_tally, _DIM, _WITHIN, _tally.key == sa.bindparam("key"))

_MONEY = ("amount", "cost", "uncosted")
_DAYS = (
    sa.select(_tally.key, _tally.measure, _tally.currency, _tally.start, *(_tally[name] for name in _MONEY))
    .where(
        _DIM,
        _tally.grain == DAY,
        _tally.start >= sa.bindparam("start", type_=sa.Date()),
        _tally.start < sa.bindparam("end", type_=sa.Date()),
        _tally.currency != "",
        _tally.currency != sa.bindparam("into"),
    )
)  # fmt: skip
_DAYS_OF_ONE = _DAYS.where(_tally.key == sa.bindparam("key"))


@dataclass(slots=True)
class Entry:
    """What one measure adds up to: how often, and how much by currency."""

    count: int = 0
    took: int = 0
    amount: Amounts = field(default_factory=Amounts)
    cost: Amounts = field(default_factory=Amounts)
    uncosted: Amounts = field(default_factory=Amounts)
    foreign: dict[tuple[str, date], list[int]] = field(default_factory=dict)
    """Of currencies and days that are yet to be converted: amount, cost and what has no cost."""

    def defer(self, currency: str, day: date, amount: int, cost: int, uncosted: int) -> None:
        """Money that is to be converted at the rate of a day."""
        held = self.foreign.setdefault((currency, day), [0, 0, 0])
        for place, number in enumerate((amount, cost, uncosted)):
            held[place] += int(number)

    def add(self, currency: str, count: int, amount: int, cost: int, uncosted: int, took: int) -> None:
        """One more cell."""
        self.count += int(count)
        self.took += int(took)
        if currency:
            self.amount += Amounts({currency: int(amount)})
            self.cost += Amounts({currency: int(cost)})
            self.uncosted += Amounts({currency: int(uncosted)})

    def join(self, other: Entry) -> None:
        """Another entry on top."""
        self.count += other.count
        self.took += other.took
        self.amount, self.cost = self.amount + other.amount, self.cost + other.cost
        self.uncosted += other.uncosted


@dataclass(frozen=True, slots=True)
class Span:
    """The days a ledger speaks of, `end` exclusive; stocks are as at the end of the day before `asked`."""

    start: date
    end: date
    asked: date

    @property
    def last_before(self) -> date:
        """The day before the first one."""
        return self.start - timedelta(days=1)

    @property
    def last_asked(self) -> date:
        """The day that stocks are seen on."""
        return self.asked - timedelta(days=1)

    @property
    def seen_on(self) -> dict[str, date | None]:
        """For each part of a ledger the day at whose rate it is converted; none for that of each day."""
        return {"inside": None, "before": self.last_before, "until": self.last_asked}


Entries = dict[tuple[str, str], Entry]


def entry_of(entries: Entries, measure: str, keys: Sequence[str]) -> Entry:
    """What a measure adds up to over some keys."""
    if len(keys) == 1:
        return entries.get((keys[0], measure)) or Entry()
    whole = Entry()
    for key in keys:
        found = entries.get((key, measure))
        if found is not None:
            whole.join(found)
    return whole


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries of one stretch of time, by key and measure: what happened in it, and all that happened before."""

    inside: Entries
    before: Entries
    until: Entries

    def add(
        self, cells: Iterable[Cell], dim: str, span: Span, parts: Sequence[str] = PARTS, into: str | None = None
    ) -> None:
        """What cells of days say along a dimension, in the parts of the ledger that their days belong to; of other
        currencies than `into` for converting."""
        stretches = {
            "inside": (span.start, span.end),
            "before": (date.min, span.start),
            "until": (date.min, span.asked),
        }
        wanted: list[tuple[Entries, dict[Any, list[int]], date, date]]
        wanted = [(getattr(self, part), {}, *stretches[part]) for part in parts]
        for (along, key, measure, grain, day, currency), numbers in cells:
            if along == dim and grain == DAY:
                later = None if into is None or currency in ("", into) else day
                for _, sums, start, end in wanted:
                    if start <= day < end:
                        held = sums.setdefault((key, measure, currency, later), [0] * len(_NUMBERS))
                        for place, number in enumerate(numbers):
                            held[place] += number
        for entries, sums, *_ in wanted:
            for (key, measure, currency, day), (count, amount, cost, uncosted, took) in sums.items():
                entry = entries.setdefault((key, measure), Entry())
                if day is None:
                    entry.add(currency, count, amount, cost, uncosted, took)
                else:
                    entry.add("", count, 0, 0, 0, took)
                    entry.defer(currency, day, amount, cost, uncosted)

    def keys(self) -> set[str]:
        """Whose entries there are."""
        return {key for key, _ in self.inside} | {key for key, _ in self.until}


class Settling(Protocol):
    """What converts other currencies into one; see `conversion`."""

    into: str

    def settle_all(self, entries: Entries, on: date | None) -> Entries:
        """Convert what entries hold of other currencies, at the rate of its day or of one day for all."""
        ...


async def read_ledger(
    snapshot: Snapshot, dim: str, span: Span, key: str | None = None, settling: Settling | None = None
) -> Ledger:
    """The ledger of a dimension, of all its keys or of one."""
    inside = await read_entries(snapshot, dim, key, span.start, span.end, settling)
    before = await read_entries(snapshot, dim, key, date.min, span.start, settling, span.last_before)
    if span.asked == span.end and settling is None:
        return Ledger(inside, before, joined(joined({}, before), inside))
    until = await read_entries(snapshot, dim, key, date.min, span.asked, settling, span.last_asked)
    return Ledger(inside, before, until)


async def read_entries(
    snapshot: Snapshot,
    dim: str,
    key: str | None,
    start: date,
    end: date,
    settling: Settling | None = None,
    on: date | None = None,
) -> Entries:
    """What the sums of a dimension, or of one of its keys, add up to over some days; other currencies converted, at
    the rate of each day or of one day."""
    first, last = months_within(start, end)
    days = {"start": start, "first": first, "last": last, "end": end, "dim": dim}
    records = await (snapshot.rows(_OF_ALL, **days) if key is None else snapshot.rows(_OF_ONE, **days, key=key))
    entries: Entries = {}
    foreign = False
    for whose, measure, currency, *values in records:
        entry = entries.setdefault((whose, measure), Entry())
        if settling is None or currency in ("", settling.into):
            entry.add(currency, *values)
        else:
            foreign = True
            entry.add("", values[0], 0, 0, 0, values[4])
    if settling is None or not foreign:
        return entries
    named = {"dim": dim, "start": start, "end": end, "into": settling.into} | ({} if key is None else {"key": key})
    for whose, measure, currency, day, *money in await snapshot.rows(_DAYS if key is None else _DAYS_OF_ONE, **named):
        entries[whose, measure].defer(currency, day_of(day), *money)
    return settling.settle_all(entries, on)


async def amounts_along(
    snapshot: Snapshot, dim: str, measure: str, currency: str, start: date, end: date
) -> dict[str, int]:
    """What one measure adds up to in a currency over some days, by key of a dimension, in minor units."""
    mine = (_tally.dim == dim, _tally.measure == measure, _tally.currency == currency)
    cells = sa.union_all(
        *(sa.select(_tally.key, _tally.amount).where(*mine, each) for each in within(start, end).clauses)
    )
    each = cells.subquery().c
    summed = sa.select(each.key, sa.cast(sa.func.sum(each.amount), sa.BigInteger)).group_by(each.key)
    return {key: int(amount) for key, amount in await snapshot.rows(summed)}


def day_of(value: date | str) -> date:
    """A day as either engine answers with it."""
    return value if isinstance(value, date) else date.fromisoformat(value)


def within(start: date, end: date) -> Any:
    """The cells of some days."""
    return _cells_of(start, *months_within(start, end), end)


def months_within(start: date, end: date) -> tuple[date, date]:
    """The whole months in a stretch of days: from the first day of one up to that of another."""
    first, last = _next_month(start), end.replace(day=1)
    return (first, last) if first < last else (end, end)


def _next_month(day: date) -> date:
    """The first day of a month on or after a day."""
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def joined(entries: Entries, others: Entries, key: str | None = None) -> Entries:
    """Entries with others on top, all of them of one key if it is given."""
    for (whose, measure), entry in others.items():
        entries.setdefault((whose if key is None else key, measure), Entry()).join(entry)
    return entries
