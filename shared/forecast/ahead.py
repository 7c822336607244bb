"""What a period is expected to have brought at its end, from a life table that goes on as it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Final

from shared.forecast.history import WEEK, WEEKS, History, Monday, week_of
from shared.forecast.table import Table
from shared.period import Period

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
    " lay from what the same shares expect of it, and from how many times as far forecasts of teams have been off."
)
SPREAD: Final = 1.99
"""Within so many deviations four of five forecasts of teams in the back-test came true (split conformal, all of them
pooled). Student's t says 1.356: it takes weeks for independent and the rates for known."""


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


def forecast(history: History, period: Period, won: Mapping[str, int]) -> tuple[Forecast, str]:
    """The forecast of a period in which so much has been won, in minor units by currency, and its currency.

    Raises NotForeseeable, also where deals were won in several currencies, which are never added up.
    """
    over = history.known.before >= period.end
    currencies = sorted({code for code, amount in won.items() if amount} | (set() if over else history.currencies))
    if len(currencies) > 1:
        raise NotForeseeable(f"deals were won in several currencies: {', '.join(currencies)}")
    if over and not currencies:
        raise NotForeseeable("nothing was won in the period, and it is over")
    so_far = won.get(currencies[0], 0) if currencies else 0
    if over:
        return Forecast(so_far, so_far, so_far, so_far, 0, 0), currencies[0]
    table = Table(history, currencies[0] if currencies else "")
    if not table.amount or table.wins < FEWEST_WINS or len(table.weeks) < FEWEST_WEEKS:
        raise NotForeseeable(
            f"{table.wins} deals were won in the {len(table.weeks)} whole weeks of history (of at most {WEEKS});"
            f" a forecast needs {FEWEST_WINS} in {FEWEST_WEEKS}"
        )
    return _ahead(table, history.known.before, period, so_far), currencies[0]


def _ahead(table: Table, since: date, period: Period, won: int) -> Forecast:
    weeks = list(_weeks(since, period))
    young = weeks[0].monday - 7 * table.oldest
    from_open = sum(
        table.worth(opened) * _wins(table, opened, count, weeks)
        for opened, count in sorted(table.open.items())
        if count > 0 and opened >= young
    )
    from_new = table.average * sum(_wins_of_new(table, weeks[place:]) for place in range(len(weeks)))
    coming = from_open + from_new
    # The rates are as uncertain as what they were taken from, on top of how uneven the weeks to come are.
    deviation = sqrt(table.dispersion() * coming * (1 + coming / table.amount))
    low, high = max(coming - SPREAD * deviation, 0.0), coming + SPREAD * deviation
    return Forecast(won + round(coming), won + round(low), won + round(high), won, round(from_open), round(from_new))


@dataclass(frozen=True, slots=True)
class _Week:
    """A week to come: from which part of it on, and which part of it lies in the period."""

    monday: Monday
    begin: float
    first: float
    last: float


def _weeks(since: date, period: Period) -> Iterator[_Week]:
    monday = week_of(since)
    while monday < period.end:
        parts = [min(max((day - monday).days / 7, 0.0), 1.0) for day in (since, period.start, period.end)]
        first = max(parts[0], parts[1])
        yield _Week(monday.toordinal(), parts[0], first, max(first, parts[2]))
        monday += WEEK


def _wins(table: Table, opened: Monday, count: float, weeks: Sequence[_Week]) -> float:
    """How many of so many deals of one week of opening that are open now will be won in the period.

    Within a week as many close on each day of it, so that a period may begin and end within one.
    """
    still, wins = max(count, 0.0), 0.0
    for week in weeks:
        age = (week.monday - opened) // 7
        if age > table.oldest:
            break
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


def _wins_of_new(table: Table, weeks: Sequence[_Week]) -> float:
    """How many deals that will be opened in the first of these weeks will be won in the period."""
    own, rate = weeks[0], table.opened / len(table.weeks)
    to_win, to_lose = table.chance(0)
    # Whoever comes in the middle of the week has half of it to close in.
    wins = rate * to_win * ((own.last - own.begin) ** 2 - (own.first - own.begin) ** 2)
    there = 1 - own.begin
    left = rate * there - rate * (to_win + to_lose) * there**2
    return wins + _wins(table, own.monday, left, weeks[1:])
