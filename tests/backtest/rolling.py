"""Forecasts of past periods, each made with nothing but what was known on its day, against what came."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from pathlib import Path

from shared.forecast import Forecast, History, Known, NotForeseeable, Told, forecast, tell
from shared.forecast.ahead import SPREAD
from shared.period import Period

CURRENCY = "USD"
CALIBRATED_BY = ("teams, quarters, every week", "teams, months, in the middle")
"""The points that say how wide the range is."""
QUARTERS = tuple(Period.parse(f"2017-Q{number}") for number in range(1, 5))
MONTHS = tuple(Period.parse(f"2017-{number:02d}") for number in range(1, 13))


@dataclass(frozen=True, slots=True)
class Sale:
    """A deal of the data set; its value in minor units."""

    told: Told
    team: str
    product: str


@dataclass(frozen=True, slots=True)
class Point:
    """One forecast of a period, made with what was known before a day, and what the period brought."""

    whose: str
    period: Period
    before: date
    found: Forecast | None
    reason: str
    actual: int
    naive: int
    """What the period before it brought."""

    @property
    def error(self) -> float:
        """Of the forecast, as a share of what came."""
        assert self.found is not None
        return (self.found.value - self.actual) / self.actual

    @property
    def naive_error(self) -> float:
        """Of saying that the period before comes again."""
        return (self.naive - self.actual) / self.actual

    @property
    def deviations(self) -> float:
        """How many deviations what came lay from the forecast."""
        assert self.found is not None
        return SPREAD * abs(self.actual - self.found.value) / max(self.found.high - self.found.value, 1)

    @property
    def inside(self) -> bool:
        """Whether what came lay in the range."""
        assert self.found is not None
        return self.found.low <= self.actual <= self.found.high


def sales_of(folder: Path) -> list[Sale]:
    """The deals of the CRM data set that have an opening day; prospects without one cannot be placed in time."""
    with (folder / "sales_teams.csv").open(newline="") as file:
        teams = {row["sales_agent"]: row["manager"] for row in csv.DictReader(file)}
    with (folder / "sales_pipeline.csv").open(newline="") as file:
        return [_sale(row, teams) for row in csv.DictReader(file) if row["engage_date"]]


def _sale(row: dict[str, str], teams: dict[str, str]) -> Sale:
    won = row["deal_stage"] == "Won"
    told = Told(
        opened=date.fromisoformat(row["engage_date"]),
        closed=date.fromisoformat(row["close_date"]) if row["close_date"] else None,
        won=won,
        amount=int(row["close_value"]) * 100 if won else 0,
        currency=CURRENCY if won else "",
    )
    return Sale(told, teams[row["sales_agent"]], row["product"])


def foreseen(sales: Iterable[Told], period: Period, before: date) -> Forecast:
    """The forecast of a period with what was known before a day; raises NotForeseeable."""
    history, won = History(Known(before)), 0
    for each in sales:
        if each.opened < before:
            tell(history, each)
            if each.closed is not None and each.won and period.start <= each.closed < min(before, period.end):
                won += each.amount
    return forecast(history, period, {CURRENCY: won})[0]


def brought(sales: Iterable[Told], period: Period) -> int:
    """What was won in a period."""
    return sum(each.amount for each in sales if each.won and each.closed is not None and period.contains(each.closed))


def middle(period: Period) -> date:
    """The first day of a period's second half: the forecast knows the days before it."""
    return period.start + timedelta(days=period.days // 2)


def points(
    whose: str, sales: Sequence[Told], periods: Sequence[Period], days: Iterable[int] | None = None
) -> Iterator[Point]:
    """The forecasts of these periods, made in their middle or after so many days of each."""
    offsets = list(days) if days is not None else None
    for place, period in enumerate(periods):
        naive = brought(sales, periods[place - 1]) if place else 0
        for offset in offsets if offsets is not None else [(middle(period) - period.start).days]:
            before = period.start + timedelta(days=offset)
            try:
                found, reason = foreseen(sales, period, before), ""
            except NotForeseeable as why:
                found, reason = None, str(why)
            yield Point(whose, period, before, found, reason, brought(sales, period), naive)


def samples(sales: Sequence[Sale]) -> dict[str, list[Point]]:
    """Every set of points that the data gives, by what they are points of."""
    everything = [each.told for each in sales]
    by_team, by_product = defaultdict(list), defaultdict(list)
    for each in sales:
        by_team[each.team].append(each.told)
        by_product[each.product].append(each.told)
    weekly = range(0, 91, 7)
    found: dict[str, list[Point]] = {
        "organisation, quarters, in the middle": list(points("", everything, QUARTERS)),
        "organisation, quarters, every week": list(points("", everything, QUARTERS, weekly)),
        "organisation, months, in the middle": list(points("", everything, MONTHS)),
    }
    for name, groups in (("teams", by_team), ("products", by_product)):
        for span, periods in (("quarters", QUARTERS), ("months", MONTHS)):
            found[f"{name}, {span}, in the middle"] = [
                point for key, mine in sorted(groups.items()) for point in points(key, mine, periods)
            ]
    found["teams, quarters, every week"] = [
        point for key, mine in sorted(by_team.items()) for point in points(key, mine, QUARTERS, weekly)
    ]
    return found


def known(found: Iterable[Point]) -> list[Point]:
    """The points that have a forecast, of periods that brought anything."""
    return [point for point in found if point.found is not None and point.actual]


def spread(found: Sequence[Point], share: float = 0.8) -> float:
    """Within how many deviations of a forecast what comes will lie with this probability, as these points say: the
    quantile of split conformal prediction."""
    apart = sorted(point.deviations for point in found)
    return apart[min(len(apart), ceil(share * (len(apart) + 1))) - 1]


def mean_error(found: Sequence[Point]) -> float:
    """Mean absolute error of the forecasts as a share of what came."""
    return sum(abs(point.error) for point in found) / len(found)


def mean_naive_error(found: Sequence[Point]) -> float:
    """The same of the naive forecast."""
    return sum(abs(point.naive_error) for point in found) / len(found)
