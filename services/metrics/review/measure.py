"""What a measure is, and what it says: a number with its interval, or that there is not enough to say one.

A number that is missing is never zero: it is the verdict "not enough data", with what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import fsum, sqrt
from typing import Final, Literal, Self

from services.metrics.review.conventions import (
    Interval,
    adjusted_error,
    around,
    mean_of,
    plain_error,
    score100,
    survey_error,
    wilson,
)  # fmt: skip

Cell = Literal["individual behaviour", "individual results", "team process", "team results", "index", "goal link",
               "survey", "organisation"]  # fmt: skip
State = Literal["healthy", "watch", "weak", "not enough data"]
PERCENT: Final = "%"


@dataclass(frozen=True, slots=True)
class Value:
    """What a measure says of somebody."""

    measure: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    error: float | None = None
    hits: float | None = None
    of: float | None = None
    """n: how many cases it speaks of."""
    missing: str | None = None
    """Why there is no number."""
    sources: tuple[str, ...] = ()
    """The subjects whose events it is made of."""
    parts: tuple[str, ...] = ()
    """The measures it is made of."""
    beside: float | None = None
    """The team's average, where a number is never shown without it."""
    slope: float | None = None
    """Of a mean over levels by how much it changes from one to the next."""
    note: str | None = None
    """What is to be known beside it."""

    @property
    def interval(self) -> Interval | None:
        """Between what it lies in nine of ten cases."""
        return None if self.low is None or self.high is None else Interval(self.low, self.high)


def variance(n: int, total: float, squares: float) -> float:
    """Of a sample of n, known by its total and the total of its squares; 0 of fewer than two."""
    return (squares - total * total / n) / (n - 1) if n > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Survey:
    """Answers to questions of 1 to 5: their mean, deviation, how many answered and how many were asked."""

    mean: float
    deviation: float
    answers: int
    asked: int
    sources: tuple[str, ...] = ()
    told: bool = True
    """Whether there are sums: of too few answers, or of none to all of its questions, only their number is known."""

    @classmethod
    def summed(cls, n: int, total: float, squares: float, *, items: int, asked: int, source: str) -> Self:
        """Of n sums of answers to so many questions each, known by their total and the total of their squares."""
        return cls(total / n / items, sqrt(max(0.0, variance(n, total, squares))) / items, n, asked, (source,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Answers to a question, or to several together: how many, their sum, and the sum of their squares."""

    n: int
    total: int
    squares: int

    @property
    def variance(self) -> float:
        """Of a sample."""
        return variance(self.n, self.total, self.squares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What all teams answered to the questions of a scale, of pulses in which whoever answered one answered all."""

    whole: Sums
    questions: tuple[Sums, ...]
    teams: int
    by_team: float
    """Σ over teams of the square of their sum ÷ how many answered."""
    sizes: int
    """Σ over teams of the square of how many answered."""
    sources: tuple[str, ...] = ()
    """The pulses in which they did."""

    @property
    def answers(self) -> int:
        """How many answered."""
        return self.whole.n


@dataclass(frozen=True, slots=True)
class Recommended:
    """How many would recommend us, are in between, and would not."""

    would: int
    between: int
    would_not: int
    sources: tuple[str, ...] = ()

    @property
    def answers(self) -> int:
        """How many said so."""
        return self.would + self.between + self.would_not


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a review: what it means, how it is computed, from how many cases on, and how it is guarded."""

    id: str
    name: str
    cell: Cell
    definition: str
    formula: str
    guard: str
    least: int = 1
    """From how many cases on there is a number, unless a rule-set says otherwise."""
    unit: str = PERCENT
    private: bool = False
    """Whether only the person and who leads them may see it."""

    def share(self, hits: int, of: int, least: int | None = None, sources: Iterable[str] = ()) -> Value:
        """x of n in percent, with Wilson's interval and the adjusted standard error."""
        found = tuple(sorted(set(sources)))
        if of < (wanted := self.least if least is None else least) or of == 0:
            return Value(self.id, hits=hits, of=of, missing=f"{of} of at least {max(wanted, 1)} cases", sources=found)
        low, high = wilson(hits, of)
        error = 100 * adjusted_error(hits, of)
        return Value(self.id, 100 * hits / of, 100 * low, 100 * high, error, hits, of, sources=found)

    def answers(self, survey: Survey | None, least: int, response: float) -> Value:
        """The mean of a survey on the scale of 0 to 100; only where enough were asked and answered."""
        if survey is None:
            return self.nothing("nobody was asked")
        answers, asked = survey.answers, survey.asked
        if not survey.told or answers < least or answers < response * asked:
            why = f"{answers} answers of {asked} asked; at least {least} and {100 * response:g} % are needed"
            return Value(self.id, of=answers, missing=why, sources=survey.sources)
        value, error = score100(survey.mean), survey_error(survey.deviation, answers)
        low, high = around(value, error)
        return Value(self.id, value, low, high, error, of=answers, sources=survey.sources)

    def balance(self, said: Recommended) -> Value:
        """100 · (promoters - detractors) ÷ answers, with the interval of a mean of 1, 0 and -1."""
        n = said.answers
        if n < self.least:
            return self.nothing(f"{n} of at least {self.least} answers")
        mean = (said.would - said.would_not) / n
        error = sqrt(((said.would + said.would_not) / n - mean * mean) / n)
        return self.number(100 * mean, n, said.sources, around(100 * mean, 100 * error))

    def number(self, value: float, of: float, sources: Iterable[str] = (), interval: Interval | None = None) -> Value:
        """A number that is no share."""
        low, high = interval or (None, None)
        return Value(self.id, value, low, high, of=of, sources=tuple(sorted(set(sources))))

    def nothing(self, why: str) -> Value:
        """That there is not enough to say a number."""
        return Value(self.id, missing=why)


def mean_share(measure: Measure, parts: Iterable[Value]) -> Value:
    """The mean of several values, if all of them have a number: what is missing is not made up for by the others."""
    found = tuple(parts)
    names = tuple(each.measure for each in found)
    without = [each.measure for each in found if each.value is None]
    if without:
        return Value(measure.id, missing=f"there is no {', no '.join(without)}", parts=names)
    values = [each.value for each in found if each.value is not None]
    errors = [each.error or 0.0 for each in found]
    value, error = mean_of(values), sqrt(fsum(each * each for each in errors)) / len(errors)
    low, high = around(value, error)
    return Value(measure.id, value, low, high, error, parts=names)


def state_of(value: Value, healthy: float, weak: float) -> State:
    """weak: below the weak line, and the upper limit below the healthy line; watch: below the healthy line."""
    if value.value is None:
        return "not enough data"
    if value.value >= healthy:
        return "healthy"
    high = value.high if value.high is not None else value.value
    return "weak" if value.value < weak and high < healthy else "watch"


def by_hand(value: Value) -> Value:
    """A share with the plain standard error, to read along by hand; what is no share stays as it is."""
    if value.value is None or value.hits is None or value.of is None:
        return value
    error = 100 * plain_error(value.hits, value.of)
    return replace(value, error=error)
