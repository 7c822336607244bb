"""The days that a recurrence rule names (RFC 5545, section 3.3.10), turn by turn: a turn is a day, a week, a month or a
year of the rule, and each is judged by itself.

Why no library does this is told in `docs/decisions/0011-recurrence-by-our-own-hand.md`; a test follows one beside it.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

WEEK: Final = 7
FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


@dataclass(frozen=True, slots=True)
class Parts:
    """A rule taken apart; what it does not say is taken from the day of its beginning."""

    frequency: str
    interval: int = 1
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    """From 1 on, or back from -1."""
    weekdays: frozenset[tuple[int, int]] = frozenset()
    """Each with which of the month or year it is, from 1 on or back from -1; 0 stands for every one. Monday is 0."""
    places: tuple[int, ...] = ()
    """Which of the days of a turn are meant, from 1 on or back from -1."""
    first_weekday: int = 0

    def days(self, start: date, begin: date, last: date) -> Iterator[date]:
        """The days of the rule from `begin` to `last` if it begins on `start`, in order."""
        whole, first = self._completed(start), self._turn(start)
        turn = first + max(0, self._turn(begin) - first) // self.interval * self.interval
        while (span := self._span(turn))[0] <= last.toordinal():
            for day in whole._chosen(span):
                if max(start, begin) <= day <= last:
                    yield day
            turn += self.interval

    def _completed(self, start: date) -> Parts:
        named = bool(self.month_days or self.weekdays)
        if self.frequency == "WEEKLY" and not self.weekdays:
            return replace(self, weekdays=frozenset({(0, start.weekday())}))
        if self.frequency == "YEARLY" and not named and not self.months:
            return replace(self, months=frozenset({start.month}), month_days=frozenset({start.day}))
        if self.frequency in ("MONTHLY", "YEARLY") and not named:
            return replace(self, month_days=frozenset({start.day}))
        return self

    def _turn(self, day: date) -> int:
        if self.frequency == "DAILY":
            return day.toordinal()
        if self.frequency == "WEEKLY":
            return (day.toordinal() - 1 - self.first_weekday) // WEEK
        return day.year * 12 + day.month - 1 if self.frequency == "MONTHLY" else day.year

    def _span(self, turn: int) -> tuple[int, int]:
        """The first and the last day of a turn, as ordinals."""
        if self.frequency == "DAILY":
            return turn, turn
        if self.frequency == "WEEKLY":
            monday = turn * WEEK + 1 + self.first_weekday
            return monday, monday + WEEK - 1
        if self.frequency == "MONTHLY":
            begin = date(turn // 12, turn % 12 + 1, 1)
            return begin.toordinal(), begin.toordinal() + monthrange(begin.year, begin.month)[1] - 1
        return date(turn, 1, 1).toordinal(), date(turn, 12, 31).toordinal()

    def _chosen(self, span: tuple[int, int]) -> list[date]:
        found = [day for number in range(span[0], span[1] + 1) if self._names(day := date.fromordinal(number))]
        if not self.places:
            return found
        meant = {place - 1 if place > 0 else len(found) + place for place in self.places}
        return [day for number, day in enumerate(found) if number in meant]

    def _names(self, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if self.month_days:
            length = monthrange(day.year, day.month)[1]
            if day.day not in self.month_days and day.day - length - 1 not in self.month_days:
                return False
        return not self.weekdays or any(self._is(day, *each) for each in self.weekdays)

    def _is(self, day: date, which: int, weekday: int) -> bool:
        if day.weekday() != weekday or not which:
            return day.weekday() == weekday
        if self.frequency == "MONTHLY" or self.months:
            number, length = day.day, monthrange(day.year, day.month)[1]
        else:
            number, length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
        return which in ((number - 1) // WEEK + 1, -((length - number) // WEEK + 1))
