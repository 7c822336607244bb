"""What a period will have brought at its end: one arithmetic for everybody who shows it.

The method is a life table of deals. From the thirteen whole weeks before the day of asking it takes, for each age of a
deal in weeks, how many of the open deals were won and how many were lost within a week; how many deals were opened a
week; and what a won deal brought. Then it lets the deals that are open now, and those that will be opened at the same
rate, grow older week by week up to the end of the period. The forecast is what has been won in the period so far plus
what these deals are expected to bring in it.

A deal with an estimate is worth its estimate times what estimates have come to, any other the average won deal. The
80 % range follows from how far the revenue of each of the thirteen weeks lay from what the table expects of it.
Numbers of deals and minor units of money go in; what comes out is rounded to whole minor units once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Final, Literal

from shared.period import Period

WEEKS: Final = 13
"""How many whole weeks of history the rates are taken from."""
HORIZON: Final = 104
"""Deals opened longer than so many weeks ago are not expected to be won any more."""
FEWEST_WINS: Final = 5
FEWEST_WEEKS: Final = 4
METHOD: Final = (
    "Revenue won in the period so far, plus what the deals that are open, and those still to be opened at the rate of"
    " the 13 whole weeks before the day of asking, are expected to bring by its end: of each age of a deal in weeks,"
    " the share won and lost within a week in these 13 weeks, times its estimate (as far as estimates came true) or"
    " the average won deal. Lost deals count nowhere."
)
RANGE: Final = (
    "The range that the revenue lies in with a probability of 80 %, from how far the revenue of each of the 13 weeks"
    " lay from what the same shares expect of it."
)
SPREAD: Final = 1.356
"""The 90 % point of Student's t with twelve degrees of freedom: the middle 80 % lies within so many deviations."""
NEIGHBOURS: Final = 2
"""Up to how many weeks apart the unevenness of weeks goes together."""
_WEEK = timedelta(days=7)
Outcome = Literal["opened", "won", "lost"]
Happening = tuple[Outcome, date, str, tuple[int, int, int, int, int]]
"""What happened, on which day, in which currency, and the numbers of a `Happened`."""


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


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
        return self.week - WEEKS * _WEEK

    @property
    def horizon(self) -> date:
        """The first week of opening that counts."""
        return self.week - HORIZON * _WEEK


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


@dataclass(slots=True)
class Happened:
    """What happened to the deals opened in one week: how many, and in minor units how much."""

    count: int = 0
    amount: int = 0
    """What won deals brought."""
    estimated: int = 0
    """Of how many there was an estimate while they were open."""
    estimate: int = 0
    realised: int = 0
    """What those won deals brought of which there was an estimate."""

    def add(self, count: int, amount: int, estimated: int, estimate: int, realised: int) -> None:
        """More of the same."""
        self.count += count
        self.amount += amount
        self.estimated += estimated
        self.estimate += estimate
        self.realised += realised

    @property
    def numbers(self) -> tuple[int, int, int, int, int]:
        """All of it, in the order in which it is added."""
        return self.count, self.amount, self.estimated, self.estimate, self.realised


Week = dict[tuple[Outcome, date], Happened]
"""What happened in a week, by outcome and by week of opening."""


class History:
    """What is known of how deals went: by the week it happened in, by outcome and by week of opening."""

    def __init__(self, known: Known) -> None:
        self.known = known
        # Each note asks for these, and a day's week is worked out anew each time.
        self._horizon, self._earlier = known.horizon, known.since - _WEEK
        self.first = known.week
        """The first week that counts of which there is a deal."""
        self._weeks: dict[date, dict[tuple[Outcome, date], dict[str, Happened]]] = {}

    def note(self, outcome: Outcome, opened: date, on: date, currency: str, *numbers: int) -> None:
        """Deals opened in a week were opened, won or lost on a day of another; what is not known yet is left out."""
        if on < self.known.before and opened >= self._horizon:
            self.note_week(outcome, week_of(opened), week_of(on), currency, numbers)

    def note_week(self, outcome: Outcome, opened: date, week: date, currency: str, numbers: Sequence[int]) -> None:
        """The same by Mondays, of weeks and days that count."""
        # All that came before the weeks of the table only says which deals were still open when they began.
        here = self._weeks.setdefault(week if week > self._earlier else self._earlier, {})
        by_currency = here.get((outcome, opened))
        if by_currency is None:
            by_currency = here[outcome, opened] = {}
            self.since(opened)
        happened = by_currency.get(currency)
        if happened is None:
            by_currency[currency] = Happened(*numbers)
        else:
            happened.add(*numbers)

    def since(self, opened: date) -> None:
        """There were deals of a week, however they went."""
        if opened < self.first:
            self.first = opened

    def join(self, other: History) -> None:
        """The deals of somebody else on top."""
        self.since(other.first)
        for week, happened in other._weeks.items():
            for (outcome, opened), by_currency in happened.items():
                for code, what in by_currency.items():
                    self.note_week(outcome, opened, week, code, what.numbers)

    @property
    def currencies(self) -> list[str]:
        """In which currencies deals were won in the weeks of the table."""
        return sorted({
            currency
            for week, happened in self._weeks.items()
            if week >= self.known.since
            for (outcome, _), by_currency in happened.items()
            if outcome == "won"
            for currency, what in by_currency.items()
            if what.amount
        })  # fmt: skip

    def by_week(self, currency: str) -> dict[date, Week]:
        """What happened in each week, all deals counted and money taken in one currency; before the first week of the
        table, in all weeks before it."""
        return {
            week: {place: _in_one(by_currency, currency) for place, by_currency in sorted(happened.items())}
            for week, happened in self._weeks.items()
        }

    def weeks(self) -> list[date]:
        """The whole weeks of the table, from the first in which anything was known."""
        begin = max(self.known.since, self.first)
        return [begin + _WEEK * place for place in range((self.known.week - begin).days // 7)]


def _in_one(by_currency: Mapping[str, Happened], currency: str) -> Happened:
    if len(by_currency) == 1 and currency in by_currency:
        return by_currency[currency]
    whole = Happened()
    for code, what in by_currency.items():
        count, *money = what.numbers
        whole.add(count, *(money if code == currency else (0, 0, 0, 0)))
    return whole


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a period is expected to have brought at its end, in minor units, and the range of 80 %."""

    value: int
    low: int
    high: int
    won: int
    """What has been won in it so far."""
    from_open: int
    """What is expected of the deals that are open."""
    from_new: int
    """What is expected of deals that have not been opened yet."""


class NotForeseeable(Exception):
    """There is too little history to say what will come; the message says how much there is."""


@dataclass(slots=True)
class _Cohort:
    """The open deals of one week of opening."""

    count: float = 0
    estimated: float = 0
    estimate: float = 0

    def take(self, what: Happened, sign: int) -> None:
        self.count += sign * what.count
        self.estimated += sign * what.estimated
        self.estimate += sign * what.estimate


class _Table:
    """The life table: by age in weeks the share of open deals won and lost within a week."""

    def __init__(self, history: History, currency: str) -> None:
        self.at_risk: dict[int, int] = defaultdict(int)
        self.won: dict[int, int] = defaultdict(int)
        self.lost: dict[int, int] = defaultdict(int)
        self.open: dict[date, _Cohort] = defaultdict(_Cohort)
        self.opened = self.wins = self.amount = self.estimate = self.realised = 0
        self.exposed: list[tuple[dict[int, int], int]] = []
        """Of each week the deals at risk by age, and what the week brought."""
        happened = history.by_week(currency)
        self._settle(happened.get(history.known.since - _WEEK, {}))
        self.weeks = history.weeks()
        for week in self.weeks:
            self._live_through(week, happened.get(week, {}))
        self._settle(happened.get(history.known.week, {}))
        self._chances = {age: self._chance(age) for age in {*self.at_risk, *self.won, *self.lost}}

    def _settle(self, happened: Week) -> None:
        for (outcome, opened), what in happened.items():
            self.open[opened].take(what, 1 if outcome == "opened" else -1)

    def _live_through(self, week: date, happened: Week) -> None:
        begun = {place: what for place, what in happened.items() if place[0] == "opened"}
        self._settle(begun)
        ages = {(week - opened).days // 7: int(cohort.count) for opened, cohort in self.open.items() if cohort.count}
        for age, count in ages.items():
            self.at_risk[age] += count
        brought = 0
        for (outcome, opened), what in happened.items():
            age = (week - opened).days // 7
            if outcome == "won":
                self.won[age] += what.count
                brought += what.amount
                self.wins += what.count
                self.estimate += what.estimate
                self.realised += what.realised
            elif outcome == "lost":
                self.lost[age] += what.count
            else:
                self.opened += what.count
        self.amount += brought
        self.exposed.append((ages, brought))
        self._settle({place: what for place, what in happened.items() if place[0] != "opened"})

    def chance(self, age: int) -> tuple[float, float]:
        """The share of deals of an age that are won, and that are lost, within a week."""
        return self._chances.get(age, (0.0, 0.0))

    def _chance(self, age: int) -> tuple[float, float]:
        at_risk = max(self.at_risk.get(age, 0), self.won[age] + self.lost[age])
        return (self.won[age] / at_risk, self.lost[age] / at_risk) if at_risk else (0.0, 0.0)

    @property
    def average(self) -> float:
        """What a won deal brought."""
        return self.amount / self.wins

    def worth(self, cohort: _Cohort) -> float:
        """What a deal of these brings if it is won."""
        if cohort.estimated <= 0 or cohort.count <= 0:
            return self.average
        came_to = self.realised / self.estimate if self.estimate else 1.0
        return (cohort.estimate * came_to + (cohort.count - cohort.estimated) * self.average) / cohort.count

    def dispersion(self) -> float:
        """How far the weeks' revenue lay from what the table expects: variance ÷ expectation, in minor units.

        Weeks that lie above or below together, as at the end of a month, make a period less certain than weeks that
        take turns, so neighbours up to two weeks apart are counted in, the nearer the more (Newey and West).
        """
        expected = [self._expectation(ages) for ages, _ in self.exposed]
        apart = [brought - due for (_, brought), due in zip(self.exposed, expected, strict=True)]
        whole = sum(gap * gap for gap in apart)
        together = whole + 2 * sum(
            (1 - lag / (NEIGHBOURS + 1)) * sum(one * other for one, other in zip(apart, apart[lag:], strict=False))
            for lag in range(1, NEIGHBOURS + 1)
        )
        due = sum(expected)
        return max(whole, together) / due * len(apart) / (len(apart) - 1) if due > 0 else 0.0

    def _expectation(self, ages: dict[int, int]) -> float:
        return sum(count * self.chance(age)[0] for age, count in sorted(ages.items())) * self.average


def forecast(history: History, period: Period, won: Mapping[str, int]) -> tuple[Forecast, str]:
    """The forecast of a period in which so much has been won, in minor units by currency, and its currency.

    Raises NotForeseeable, also where deals were won in several currencies, which are never added up.
    """
    over = history.known.before >= period.end
    currencies = sorted({code for code, amount in won.items() if amount} | set([] if over else history.currencies))
    if len(currencies) > 1:
        raise NotForeseeable(f"deals were won in several currencies: {', '.join(currencies)}")
    if over and not currencies:
        raise NotForeseeable("nothing was won in the period, and it is over")
    so_far = won.get(currencies[0], 0) if currencies else 0
    if over:
        return Forecast(so_far, so_far, so_far, so_far, 0, 0), currencies[0]
    table = _Table(history, currencies[0] if currencies else "")
    if not table.amount or table.wins < FEWEST_WINS or len(table.weeks) < FEWEST_WEEKS:
        raise NotForeseeable(
            f"{table.wins} deals were won in the {len(table.weeks)} whole weeks of history (of at most {WEEKS});"
            f" a forecast needs {FEWEST_WINS} in {FEWEST_WEEKS}"
        )
    return _ahead(table, history.known.before, period, so_far), currencies[0]


def _ahead(table: _Table, since: date, period: Period, won: int) -> Forecast:
    weeks = list(_weeks(since, period))
    present = (table.worth(cohort) * _wins(table, (opened, cohort.count), weeks)
               for opened, cohort in sorted(table.open.items()) if cohort.count > 0)  # fmt: skip
    from_open = sum(present)
    from_new = table.average * sum(_wins_of_new(table, weeks[place:]) for place in range(len(weeks)))
    coming = from_open + from_new
    # The rates are as uncertain as what they were taken from, on top of how uneven the weeks to come are.
    deviation = sqrt(table.dispersion() * coming * (1 + coming / table.amount))
    low, high = max(coming - SPREAD * deviation, 0.0), coming + SPREAD * deviation
    return Forecast(won + round(coming), won + round(low), won + round(high), won, round(from_open), round(from_new))


@dataclass(frozen=True, slots=True)
class _Week:
    """A week to come: from which part of it on, and which part of it lies in the period."""

    monday: date
    begin: float
    first: float
    last: float


def _weeks(since: date, period: Period) -> Iterator[_Week]:
    monday = week_of(since)
    while monday < period.end:
        parts = [min(max((day - monday).days / 7, 0.0), 1.0) for day in (since, period.start, period.end)]
        first = max(parts[0], parts[1])
        yield _Week(monday, parts[0], first, max(first, parts[2]))
        monday += _WEEK


def _wins(table: _Table, cohort: tuple[date, float], weeks: Sequence[_Week]) -> float:
    """How many deals of one week of opening that are open now will be won in the period.

    Within a week as many close on each day of it, so that a period may begin and end within one.
    """
    opened, still = cohort[0], max(cohort[1], 0.0)
    wins = 0.0
    for week in weeks:
        age = (week.monday - opened).days // 7
        to_win, to_lose = table.chance(age)
        if week.begin and not age:
            # Deals of the week that is running: on average they had half of their first week to close in.
            share = min(2.0, 1 / (1 - week.begin) / max(to_win + to_lose, 1e-9))
            wins += still * share * to_win * (week.last - week.first)
            still *= 1 - share * (to_win + to_lose) * (1 - week.begin)
            continue
        gone = (to_win + to_lose) * week.begin
        begun = still / (1 - gone)
        wins += begun * to_win * (week.last - week.first)
        still = begun * (1 - to_win - to_lose)
    return wins


def _wins_of_new(table: _Table, weeks: Sequence[_Week]) -> float:
    """How many deals that will be opened in the first of these weeks will be won in the period."""
    own, rate = weeks[0], table.opened / len(table.weeks)
    to_win, to_lose = table.chance(0)
    # Whoever comes in the middle of the week has half of it to close in.
    wins = rate * to_win * ((own.last - own.begin) ** 2 - (own.first - own.begin) ** 2)
    there = 1 - own.begin
    left = rate * there - rate * (to_win + to_lose) * there**2
    return wins + _wins(table, (own.monday, left), weeks[1:])


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
        yield (
            "won",
            deal.closed,
            deal.currency,
            (deal.count, deal.amount, *estimate, deal.amount * bool(deal.estimated)),
        )


def tell(history: History, deal: Told) -> None:
    """Note what is known of a deal, or of several that went alike."""
    for outcome, on, currency, numbers in happenings(deal):
        history.note(outcome, deal.opened, on, currency, *numbers)
