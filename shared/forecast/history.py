"""How deals went, as far as it was known before a day: which are open, and how others were closed, week by week.

Weeks are the ordinals of their Mondays. Which deals were open in a week follows from those that are open now and those
that were closed since, so nothing need be known of what came before the thirteen weeks that rates are taken from.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

WEEKS: Final = 13
"""How many whole weeks of history the rates are taken from."""
HORIZON: Final = 104
"""Deals opened longer than so many weeks ago are not expected to be won any more."""
WEEK: Final = timedelta(days=7)
Outcome = Literal["opened", "won", "lost"]
Monday = int
Numbers = tuple[int, int, int, int, int]
"""How many deals, what won ones brought, of how many there was an estimate while they were open, what these sum to, and
what those won deals brought of which there was an estimate; money in minor units."""
Happening = tuple[Outcome, date, str, Numbers]
"""What happened, on which day, in which currency, and its numbers."""
Closing = tuple[Outcome, str, Sequence[Monday], Sequence[int], int, int, int]
"""How deals were closed and in which currency; weeks of opening, and how many there were of each; what won ones
brought, and of those of which there was an estimate what these sum to and what they brought."""


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def monday_of(day: date) -> Monday:
    """The Monday of a day's week, as its ordinal."""
    # The first of all days is a Monday.
    return day.toordinal() - (day.toordinal() - 1) % 7


@dataclass(frozen=True, slots=True)
class Known:
    """Which days matter to a forecast of what is known before a day."""

    before: date

    @property
    def week(self) -> date:
        """The week that is not over: what happened in it has been noted, its rates have not."""
        return week_of(self.before)

    @property
    def since(self) -> date:
        """The first of the whole weeks that the rates are taken from."""
        return self.week - WEEKS * WEEK

    @property
    def horizon(self) -> date:
        """The first week of opening that counts."""
        return self.week - HORIZON * WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a deal went, or several that were opened and closed on the same days, in minor units."""

    opened: date
    closed: date | None = None
    won: bool = False
    count: int = 1
    amount: int = 0
    currency: str = ""
    """In which the won deals brought their amount."""
    estimated: int = 0
    """How many had an estimate: all or none."""
    estimate: int = 0
    estimate_currency: str = ""


class History:
    """What is known of how deals went."""

    def __init__(self, known: Known) -> None:
        self.known = known
        # Each note asks for these, and a day's week is worked out anew each time.
        self._horizon, self._since, self._running = known.horizon, known.since.toordinal(), known.week.toordinal()
        self.first: Monday = self._running
        """The first week that counts of which there is a deal."""
        self.oldest = 0
        """How many days after the Monday of their week deals were still closed in a week, at most."""
        self.open: Counter[Monday] = Counter()
        """How many deals are open, by week of opening."""
        self.estimates: dict[tuple[Monday, str], tuple[int, int]] = {}
        """Of how many of them there is an estimate, and what these sum to, by week of opening and currency."""
        self.came: Counter[Monday] = Counter()
        """How many of them came in the week that is running, less those that went, by week of opening."""
        self.currencies: set[str] = set()
        """In which currencies deals were won since the weeks of the table began."""
        self._closed: dict[Monday, list[Closing]] = defaultdict(list)

    def note(self, outcome: Outcome, opened: date, on: date, currency: str, numbers: Numbers) -> None:
        """Deals opened in a week were opened, won or lost on a day of another; what is not known yet is left out."""
        if on < self.known.before and opened >= self._horizon:
            self.note_week(outcome, monday_of(opened), monday_of(on), currency, numbers)

    def note_week(self, outcome: Outcome, opened: Monday, week: Monday, currency: str, numbers: Numbers) -> None:
        """The same by weeks that count."""
        sign = 1 if outcome == "opened" else -1
        self.leave_open(opened, currency, numbers[0], *numbers[2:4], sign=sign)
        if week == self._running:
            self.came[opened] += sign * numbers[0]
        if sign < 0 and week >= self._since:
            count, amount, _, estimate, realised = numbers
            self.close(week, (outcome, currency, (opened,), (count,), amount, estimate, realised))

    def leave_open(
        self, opened: Monday, currency: str, count: int, estimated: int, estimate: int, *, sign: int = 1
    ) -> None:
        """Deals of a week are open, or are not any more."""
        self.since(opened)
        self.open[opened] += sign * count
        if estimated:
            of, whole = self.estimates.get((opened, currency), (0, 0))
            self.estimates[opened, currency] = of + sign * estimated, whole + sign * estimate

    def close(self, week: Monday, closing: Closing) -> None:
        """Deals that are not open any more were closed in a week of the table, or in the one that is running."""
        _, currency, opened, _, amount, _, _ = closing
        first = min(opened)
        self.since(first)
        self.oldest = max(self.oldest, week - first)
        self._closed[week].append(closing)
        if amount:
            self.currencies.add(currency)

    def since(self, opened: Monday) -> None:
        """There were deals of a week, however they went."""
        if opened < self.first:
            self.first = opened

    def join(self, other: History) -> None:
        """The deals of somebody else on top."""
        self.since(other.first)
        self.oldest = max(self.oldest, other.oldest)
        self.open.update(other.open)
        for place, (estimated, estimate) in other.estimates.items():
            of, whole = self.estimates.get(place, (0, 0))
            self.estimates[place] = of + estimated, whole + estimate
        self.came.update(other.came)
        self.currencies |= other.currencies
        for week, closed in other._closed.items():
            self._closed[week] += closed

    def weeks(self) -> list[Monday]:
        """The whole weeks of the table, from the first in which anything was known."""
        return list(range(max(self._since, self.first), self._running, 7))

    def closed(self, week: Monday) -> Sequence[Closing]:
        """What was closed in a week."""
        return self._closed.get(week, ())


def happenings(deal: Told) -> Iterator[Happening]:
    """What happened to a deal, or to several that went alike: the opening, and the closing if there was one."""
    estimate = (deal.estimated, deal.estimate)
    yield "opened", deal.opened, deal.estimate_currency, (deal.count, 0, *estimate, 0)
    if deal.closed is None:
        return
    if not deal.won:
        yield "lost", deal.closed, deal.estimate_currency, (deal.count, 0, *estimate, 0)
    elif deal.estimated and deal.estimate_currency != deal.currency:
        # The estimate leaves with the deal, and says nothing of what estimates come to.
        yield "won", deal.closed, deal.estimate_currency, (0, 0, *estimate, 0)
        yield "won", deal.closed, deal.currency, (deal.count, deal.amount, 0, 0, 0)
    else:
        realised = deal.amount * bool(deal.estimated)
        yield "won", deal.closed, deal.currency, (deal.count, deal.amount, *estimate, realised)


def tell(history: History, deal: Told) -> None:
    """Note what is known of a deal, or of several that went alike."""
    for outcome, on, currency, numbers in happenings(deal):
        history.note(outcome, deal.opened, on, currency, numbers)
