"""The periods a reader may choose from, the ones before and after, and the one to begin with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa

from services.metrics.sums import ALL, MONTH, Tally
from services.metrics.views.question import Question
from shared.instant import FIRST_DAY, LAST_DAY
from shared.period import Period, Unit
from shared.store import Snapshot

MOST_MONTHS: Final = 36
_UNITS: Final[Sequence[tuple[re.Pattern[str], Unit]]] = (
    (re.compile(r"\d{4}"), "year"),
    (re.compile(r"\d{4}-Q\d"), "quarter"),
    (re.compile(r"\d{4}-\d\d"), "month"),
    (re.compile(r"\d{4}-W\d\d"), "week"),
)
_tally = Tally.__table__.c  # type: ignore[attr-defined]
_HAPPENED = (_tally.dim == ALL, _tally.grain == MONTH)
_LATEST_WON = sa.select(sa.func.max(_tally.start)).where(*_HAPPENED, _tally.measure == "won")
_SPAN = sa.select(sa.func.min(_tally.start), sa.func.max(_tally.start)).where(*_HAPPENED)


@dataclass(frozen=True, slots=True)
class Choices:
    """The periods that can be picked without typing, by their unit."""

    years: Sequence[Period]
    quarters: Sequence[Period]
    months: Sequence[Period]

    def have(self, period: Period) -> bool:
        """Whether a period is among them."""
        return any(period.label == each.label for each in (*self.years, *self.quarters, *self.months))


async def first_look(snapshot: Snapshot, today: date, first_month: int) -> Period:
    """The quarter of the latest won deal, so that a first look is not empty; this one where nothing was won."""
    latest = await snapshot.scalar(_LATEST_WON)
    return Period.of("quarter", min(_day(latest) or today, today), first_month)


async def choices_of(snapshot: Snapshot, question: Question) -> Choices:
    """Everything from the first thing that happened up to today, and the period in question, latest first."""
    (first, last), *_ = await snapshot.rows(_SPAN)
    start = min(_day(first) or question.today, question.today)
    end = max(min(_day(last) or question.today, question.today), start) + timedelta(days=1)
    whole = Period.between(start, end)
    month = question.first_month

    def units(unit: Unit, most: int) -> list[Period]:
        pieces = [Period.of(unit, piece.start, month) for piece in whole.split(unit, month)]
        return pieces[::-1][:most]

    return Choices(units("year", 100), units("quarter", 80), units("month", MOST_MONTHS))


def beside(period: Period, first_month: int, step: int) -> Period | None:
    """The period before (-1) or after (+1) one, of the same kind; none beyond the calendar."""
    try:
        day = period.start - timedelta(days=1) if step < 0 else period.end
        unit = unit_of(period)
        if unit is not None:
            found = Period.of(unit, day, first_month)
        elif step < 0:
            found = Period.between(period.start - timedelta(days=period.days), period.start)
        else:
            found = Period.between(period.end, period.end + timedelta(days=period.days))
    except (OverflowError, ValueError):
        return None
    return found if found.start >= FIRST_DAY and found.end <= LAST_DAY else None


def unit_of(period: Period) -> Unit | None:
    """Of which kind a period is by its name; none for one between two days."""
    return next((unit for form, unit in _UNITS if form.fullmatch(period.label)), None)


def pieces_of(period: Period) -> str | None:
    """Into what a period is cut for a chart over time; none when it would have too many pieces."""
    if period.days <= 45:
        return "week"
    if period.days <= 3 * 366:
        return "month"
    return "quarter" if period.days <= 12 * 366 else None


def _day(value: date | str | None) -> date | None:
    # SQLite answers max() of a date with the text it stores.
    return date.fromisoformat(value) if isinstance(value, str) else value
