"""Did the action work? Before and after, against teams that did not act, with how sure one can be.

The plan is frozen before the action starts. The estimate is a difference in differences where there is a comparison,
and its error is widened for weeks that resemble the week before; a baseline that is the very window which made the team
look weak is corrected for regression to the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from math import fsum, sqrt
from random import Random
from typing import Final, Literal

from services.metrics.review.conventions import POWER, Interval, Z, around, deviation_of, mean_of, student

Outcome = Literal["worked", "did not work", "harm", "inconclusive", "not carried out"]
LEAST_RHO: Final = 0.2
MOST_RHO: Final = 0.9
CHANCE: Final = 0.05
ALL_LOTS: Final = 6
"""Of so many teams at most every lot is looked at."""
FRESH_WEEKS: Final = 6
"""So many weeks after the weakness was declared and before the start make a baseline fresh."""


@dataclass(frozen=True, slots=True)
class Window:
    """Weekly points of some weeks: their mean, deviation and number."""

    mean: float
    deviation: float
    weeks: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """How much changed, how sure that is, and by which design."""

    change: float
    error: float
    interval: Interval
    rho: float
    design: Literal["difference in differences", "before and after"]
    smallest_detectable: float
    """At a power of 80 % and one-sided 5 %."""
    drift: float = 0.0
    """What would have been expected without an action."""


def window_of(weekly: Sequence[float]) -> Window:
    """The window of these weekly points."""
    return Window(mean_of(weekly), deviation_of(weekly), len(weekly))


def resemblance(*series: Sequence[float]) -> float:
    """rho: how much a week resembles the one before, over windows pooled; at least 0.2, or naive tests mislead."""
    above = below = 0.0
    for weekly in series:
        if len(weekly) > 1:
            mean = mean_of(weekly)
            above += fsum((one - mean) * (other - mean) for one, other in pairwise(weekly))
            below += fsum((each - mean) * (each - mean) for each in weekly)
    return min(MOST_RHO, max(LEAST_RHO, above / below if below else 0.0))


Change = tuple[Window, Window]
"""The weeks before and the weeks after of one team."""


def error_of(groups: Sequence[Sequence[Change]], rho: float) -> float:
    """√(Σ over groups of Σ sd²/weeks ÷ teams²) · √((1 + rho)/(1 - rho)): of each group the mean of its teams counts."""
    spread = fsum(
        fsum(each.deviation * each.deviation / each.weeks for change in group for each in change)
        / (len(group) * len(group))
        for group in groups
    )
    return sqrt(spread) * sqrt((1 + rho) / (1 - rho))


def estimate(
    acted: Sequence[Change], compared: Sequence[Change] = (), *, rho: float = LEAST_RHO, drift: float = 0.0
) -> Estimate:
    """Mean change of those who acted - mean change of the comparison - drift, with a t quantile of as many weeks as
    there are. Teams that acted alike are pooled: four with four others show half of what one with one does."""
    groups = [group for group in (acted, compared) if group]
    change = _mean_of(acted) - (_mean_of(compared) if compared else 0.0) - drift
    error = error_of(groups, rho)
    windows = [each for group in groups for pair in group for each in pair]
    degrees = sum(each.weeks for each in windows) - len(windows)
    design: Literal["difference in differences", "before and after"] = (
        "difference in differences" if compared else "before and after"
    )
    return Estimate(change, error, around(change, error, student(degrees)), rho, design,
                    smallest_detectable(error), drift)  # fmt: skip


def _mean_of(changes: Sequence[Change]) -> float:
    return mean_of([after.mean - before.mean for before, after in changes])


def regression_to_the_mean(correlation: float, mean: float, before: float) -> float:
    """(1 - r)(mu - x): how far who was picked for being low rises anyway."""
    return (1 - correlation) * (mean - before)


def smallest_detectable(error: float) -> float:
    """(1.645 + 0.842) · se: at a power of 80 %, one-sided 5 %."""
    return (Z + POWER) * error


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """r of two periods over teams, at least 0; none where all teams were alike in one of them."""
    ones, others = [one for one, _ in pairs], [other for _, other in pairs]
    spread = deviation_of(ones) * deviation_of(others) * (len(pairs) - 1)
    if not spread:
        return None
    first, second = mean_of(ones), mean_of(others)
    return max(0.0, fsum((one - first) * (other - second) for one, other in pairs) / spread)


def worsened(before: Sequence[float], after: Sequence[float], worse: Literal["more", "less"], limit: float) -> bool:
    """Whether something got worse by more than a share of what it was, and not by chance."""
    if min(len(before), len(after)) < 2 or not mean_of(before):
        return False
    found = estimate([(window_of(before), window_of(after))], rho=resemblance(before, after))
    change, interval = found.change, found.interval
    sure = interval.low > 0 if worse == "more" else interval.high < 0
    return sure and abs(change) > limit * mean_of(before)


def can_show(expected: float, detectable: float) -> bool:
    """Whether a plan can show the effect at all; else teams are pooled, or the window is longer."""
    return detectable <= 2 * expected


def verdict(
    found: Estimate, smallest_worthwhile: float, *, balance_kept: bool = True, carried_out: bool = True
) -> Outcome:
    """What was not carried out has not failed; harm is told before anything else that was."""
    if not carried_out:
        return "not carried out"
    if found.interval.high < 0 or not balance_kept:
        return "harm"
    if found.interval.low > 0 and found.change >= smallest_worthwhile:
        return "worked"
    return "did not work" if found.interval.high < smallest_worthwhile else "inconclusive"


Weeks = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Lot:
    """Of teams that started in weeks drawn by lot: by how much they changed, and how often other lots give as much."""

    change: float
    p: float
    teams: int


def lot_test(weekly: Mapping[str, Weeks], starts: Mapping[str, int], draws: int = 2000) -> float:
    """P of a staggered start drawn by lot: how often other lots give as much change, the real one among them."""
    return lot_of(weekly, starts, draws).p


def lot_of(weekly: Mapping[str, Weeks], starts: Mapping[str, int], draws: int = 2000) -> Lot:
    """The mean change over teams, and its P: all other lots where they are few, else so many that are drawn."""
    teams = sorted(weekly)
    weeks = [starts[team] for team in teams]
    real, least = _mean_change(weekly, teams, weeks), 1e-9
    others = list(permutations(weeks)) if len(teams) <= ALL_LOTS else [weeks, *_drawn(weeks, draws)]
    as_much = sum(_mean_change(weekly, teams, each) >= real - least for each in others)
    return Lot(real, as_much / len(others), len(teams))


def deal(weeks: Sequence[int], seed: str) -> list[int]:
    """These weeks in an order that nobody has chosen: the same for everybody who looks it up."""
    return _shuffled(weeks, Random(seed))


def lot_verdict(found: Lot, smallest_worthwhile: float, *, balance_kept: bool = True) -> Outcome:
    """One-sided at 5 %, as the intervals are."""
    if not balance_kept or (found.change < 0 and found.p >= 1 - CHANCE):
        return "harm"
    if found.p <= CHANCE:
        return "worked" if found.change >= smallest_worthwhile else "did not work"
    return "inconclusive"


def _drawn(weeks: Sequence[int], draws: int) -> list[list[int]]:
    random = Random(len(weeks))
    return [_shuffled(weeks, random) for _ in range(draws)]


def _shuffled(weeks: Sequence[int], random: Random) -> list[int]:
    dealt = list(weeks)
    for last in range(len(dealt) - 1, 0, -1):
        other = int(random.random() * (last + 1))
        dealt[last], dealt[other] = dealt[other], dealt[last]
    return dealt


def _mean_change(weekly: Mapping[str, Weeks], teams: Sequence[str], weeks: Sequence[int]) -> float:
    """Over the teams that have weeks before and after."""
    changes = []
    for team, week in zip(teams, weeks, strict=True):
        before = [each for each in weekly[team][:week] if each is not None]
        after = [each for each in weekly[team][week:] if each is not None]
        if before and after:
            changes.append(mean_of(after) - mean_of(before))
    return mean_of(changes) if changes else 0.0
