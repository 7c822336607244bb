"""The life table of deals: how many of each age are won and lost within a week, and what a won one brings."""

from __future__ import annotations

from collections.abc import Sequence
from operator import add, mul

from shared.forecast.history import History, Monday

NEIGHBOURS = 2
"""Up to how many weeks apart the unevenness of weeks goes together."""


class Table:
    """By age in weeks the share of open deals won and lost within a week, money taken in one currency."""

    def __init__(self, history: History, currency: str) -> None:
        self.currency = currency
        self.open, self._estimates = history.open, history.estimates
        self.oldest = history.oldest // 7
        """The greatest age at which a deal was won or lost: whatever is older stays as it is."""
        self.at_risk, self.won, self.lost = ([0] * (self.oldest + 1) for _ in range(3))
        self.opened = self.wins = self.amount = self.estimate = self.realised = 0
        self.exposed: list[tuple[Sequence[int], int]] = []
        """Of each week the deals at risk by age, and what the week brought."""
        self.weeks = history.weeks()
        there = self._there(history)
        for place, week in reversed(list(enumerate(self.weeks))):
            self._look_back(history, week, there, place + self.oldest)
        self.exposed.reverse()
        self._chances = [self._chance(age) for age in range(self.oldest + 1)]
        self._to_win = [to_win for to_win, _ in self._chances]

    def _there(self, history: History) -> list[int]:
        """How many deals were open when the last week ended, by week of opening: of the weeks of the table and of as
        many before it as deals were still closed after."""
        until = history.known.week.toordinal()
        begin = (self.weeks[0] if self.weeks else until) - 7 * self.oldest
        return [self.open[opened] - history.came[opened] for opened in range(begin, until, 7)]

    def _look_back(self, history: History, week: Monday, there: list[int], place: int) -> None:
        """Note a week, and make of the deals that were there when it ended those that were there before it."""
        brought = 0
        for outcome, currency, cohorts, counts, amount, estimate, realised in history.closed(week):
            is_win = outcome == "won"
            closed = self.won if is_win else self.lost
            for opened, count in zip(cohorts, counts, strict=True):
                age = (week - opened) // 7
                there[place - age] += count
                closed[age] += count
            if is_win:
                self.wins += sum(counts)
            if is_win and currency == self.currency:
                brought += amount
                self.estimate += estimate
                self.realised += realised
        self.amount += brought
        by_age = there[place - self.oldest : place + 1][::-1]
        self.at_risk = list(map(add, self.at_risk, by_age))
        self.exposed.append((by_age, brought))
        self.opened += by_age[0]

    def chance(self, age: int) -> tuple[float, float]:
        """The share of deals of an age that are won, and that are lost, within a week."""
        return self._chances[age] if age <= self.oldest else (0.0, 0.0)

    def _chance(self, age: int) -> tuple[float, float]:
        at_risk = max(self.at_risk[age], self.won[age] + self.lost[age])
        return (self.won[age] / at_risk, self.lost[age] / at_risk) if at_risk else (0.0, 0.0)

    @property
    def average(self) -> float:
        """What a won deal brought."""
        return self.amount / self.wins

    def worth(self, opened: Monday) -> float:
        """What an open deal of a week of opening brings if it is won."""
        count, (estimated, estimate) = self.open[opened], self._estimates.get((opened, self.currency), (0, 0))
        if estimated <= 0 or count <= 0:
            return self.average
        came_to = self.realised / self.estimate if self.estimate else 1.0
        return (estimate * came_to + (count - estimated) * self.average) / count

    def dispersion(self) -> float:
        """How far the weeks' revenue lay from what the table expects: variance ÷ expectation, in minor units.

        Weeks that lie above or below together, as at the end of a month, make a period less certain than weeks that
        take turns, so neighbours up to two weeks apart are counted in, the nearer the more (Newey and West).
        """
        expected = [sum(map(mul, by_age, self._to_win)) * self.average for by_age, _ in self.exposed]
        apart = [brought - due for (_, brought), due in zip(self.exposed, expected, strict=True)]
        whole = sum(gap * gap for gap in apart)
        together = whole + 2 * sum(
            (1 - lag / (NEIGHBOURS + 1)) * sum(one * other for one, other in zip(apart, apart[lag:], strict=False))
            for lag in range(1, NEIGHBOURS + 1)
        )
        due = sum(expected)
        return max(whole, together) / due * len(apart) / (len(apart) - 1) if due > 0 else 0.0
