"""The ledger of a question: the sums it needs, read once, by whose they are.

A question that looks along one dimension reads the sums of that dimension. One that looks along two at once (the
customers of a team) has no sums of its own: its cells are made from the facts that pass the filter, by the same
contributions that feed the sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

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
_OF_ALL = (
    sa.select(
        _tally.key,
        _tally.measure,
        _tally.currency,
        *(sa.cast(sa.func.sum(_tally[name]), sa.BigInteger) for name in _NUMBERS),
    )
    .where(_tally.dim == sa.bindparam("dim"), _WITHIN)
    .group_by(_tally.key, _tally.measure, _tally.currency)
)
_OF_ONE = _OF_ALL.where(_tally.key == sa.bindparam("key"))


@dataclass(slots=True)
class Entry:
    """What one measure adds up to: how often, and how much by currency."""

    count: int = 0
    took: int = 0
    amount: Amounts = field(default_factory=Amounts)
    cost: Amounts = field(default_factory=Amounts)
    uncosted: Amounts = field(default_factory=Amounts)

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

    def add(self, cells: Iterable[Cell], dim: str, span: Span, parts: Sequence[str] = PARTS) -> None:
        """What cells of days say along a dimension, in the parts of the ledger that their days belong to."""
        stretches = {
            "inside": (span.start, span.end),
            "before": (date.min, span.start),
            "until": (date.min, span.asked),
        }
        wanted = [(getattr(self, part), *stretches[part]) for part in parts]
        for (along, key, measure, grain, day, currency), numbers in cells:
            if along == dim and grain == DAY:
                for entries, start, end in wanted:
                    if start <= day < end:
                        entries.setdefault((key, measure), Entry()).add(currency, *numbers)

    def keys(self) -> set[str]:
        """Whose entries there are."""
        return {key for key, _ in self.inside} | {key for key, _ in self.until}


async def read_ledger(snapshot: Snapshot, dim: str, span: Span, key: str | None = None) -> Ledger:
    """The ledger of a dimension, of all its keys or of one."""
    inside = await read_entries(snapshot, dim, key, span.start, span.end)
    before = await read_entries(snapshot, dim, key, date.min, span.start)
    if span.asked == span.end:
        return Ledger(inside, before, joined(joined({}, before), inside))
    return Ledger(inside, before, await read_entries(snapshot, dim, key, date.min, span.asked))


async def read_entries(snapshot: Snapshot, dim: str, key: str | None, start: date, end: date) -> Entries:
    """What the sums of a dimension, or of one of its keys, add up to over some days."""
    first, last = months_within(start, end)
    days = {"start": start, "first": first, "last": last, "end": end, "dim": dim}
    records = await (snapshot.rows(_OF_ALL, **days) if key is None else snapshot.rows(_OF_ONE, **days, key=key))
    entries: Entries = {}
    for whose, measure, currency, *values in records:
        entries.setdefault((whose, measure), Entry()).add(currency, *values)
    return entries


def within(start: date, end: date) -> sa.ColumnElement[bool]:
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
