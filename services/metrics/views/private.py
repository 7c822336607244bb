"""Figures about what happened to people, told only where enough of them are behind what is told.

Counted is only where at least five people are behind it, and so that nobody can tell what is hidden by taking what is
shown from the whole: a row of a breakdown, a month of a quarter, a quarter of a year, one kind of all. Other stretches
of days are not told of: two of them that differ by a day would tell of that day.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from services.metrics.views.frame import Compute, Reading
from services.metrics.views.question import Question
from shared.few import FEWEST
from shared.period import Period, Unit

_TREE: Final[tuple[tuple[Unit, Unit], ...]] = (("year", "quarter"), ("quarter", "month"))


class Behind(Protocol):
    """Something about a person."""

    @property
    def person(self) -> str: ...


class Happened(Behind, Protocol):
    """Something that happened to a person on a day, or from that day on."""

    @property
    def happened_on(self) -> date | None: ...


B = TypeVar("B", bound=Behind)
H = TypeVar("H", bound=Happened)


@dataclass(frozen=True, slots=True)
class Private:
    """What is counted, by what it may be asked, and where it is read."""

    what: str
    dims: Sequence[str]
    read: Callable[[Reading, Period], Awaitable[Sequence[Any]]]
    """All that happened in a year."""
    worth: Callable[[Sequence[Any]], Any] = len
    """What some of it adds up to."""
    kinds: Sequence[str] | None = None
    """Of which kinds, if not of all."""

    def figure(self, key: str) -> Compute:
        """How it is computed for a question."""

        async def compute(reading: Reading) -> Any:
            return await _told_of(self, key, reading)

        return compute

    def is_meant(self, each: Any) -> bool:
        """Whether something is of the kinds that are counted."""
        return self.kinds is None or each.sort in self.kinds


async def _told_of(private: Private, figure: str, reading: Reading) -> Any:
    if set(reading.filters) - set(private.dims) or len(reading.filters) > 1:
        reading.note(figure, f"{private.what} are counted by {' or '.join(private.dims)}")
        return None
    question = reading.question
    if not in_the_tree(question):
        reading.note(figure, whole_stretches(private.what))
        return None
    year = _around(question, "year")
    in_year: Sequence[Any] = await reading.shared(f"{private.what} {year}", lambda: private.read(reading, year))
    ((dim, key),) = reading.filters.items() or (("", ""),)

    def key_of(each: Any) -> str:
        return (getattr(each, dim) or "") if dim else ""

    whole = [each for each in in_year if private.is_meant(each)]
    mine = [each for each in whole if key_of(each) == key]
    others = [each for each in in_year if not private.is_meant(each) and key_of(each) == key]
    meant, besides = _within(mine, question.period), _within(others, question.period)
    by_key = grouped(_within(whole, question.period), key_of)
    few_besides = bool(meant) and not told(besides)
    kept_in_time = _kept_in_time(mine, question) or _kept_in_time(whole, question)
    if not told(meant) or key in kept_back(by_key) or few_besides or (bool(meant) and kept_in_time):
        return hidden(reading, figure)
    return private.worth(meant)


def whole_stretches(what: str) -> str:
    """What is said where another stretch of days is asked about."""
    return f"what is told of {what} is told of whole months, quarters and years"


def in_the_tree(question: Question) -> bool:
    """Whether a whole month, quarter or year is asked about: other stretches could differ by a day."""
    return any(question.period == _around(question, unit) for unit in ("month", "quarter", "year"))


def _around(question: Question, unit: Unit) -> Period:
    return Period.of(unit, question.period.start, question.first_month)


def _part_of(each: Happened, unit: Unit, question: Question) -> str:
    return str(Period.of(unit, each.happened_on or question.period.start, question.first_month))


def _kept_in_time(happened: Sequence[H], question: Question) -> bool:
    """Whether a month would tell of another one by the quarter around both, or a quarter by the year."""
    for outer, inner in _TREE:
        part = _around(question, inner)
        if question.period.days > part.days:
            return False
        around = _within(happened, _around(question, outer))
        if str(part) in kept_back(grouped(around, partial(_part_of, unit=inner, question=question))):
            return True
    return False


def _within(happened: Iterable[H], period: Period) -> list[H]:
    return [each for each in happened if each.happened_on is not None and period.contains(each.happened_on)]


def grouped(found: Iterable[B], key: Callable[[B], str]) -> dict[str, list[B]]:
    """What was found, by key."""
    groups: dict[str, list[B]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return groups


def kept_back(by_key: Mapping[str, Sequence[Behind]]) -> set[str]:
    """The keys of which nothing is told: those of few people, and as many more as it takes that those who are kept back
    are not few together, or what they add up to would show in the whole."""
    few = {key for key, found in by_key.items() if not told(found)}
    shown = sorted(by_key.keys() - few, key=lambda key: (len(_people(by_key[key])), key))
    while few and shown and len(_people(each for key in few for each in by_key[key])) < FEWEST:
        few.add(shown.pop(0))
    return few


def _people(found: Iterable[Behind]) -> set[str]:
    return {each.person for each in found}


def told(found: Sequence[Behind]) -> bool:
    """Whether there are enough people behind something, or none."""
    return not found or len(_people(found)) >= FEWEST


def hidden(reading: Reading, figure: str) -> None:
    """Say that a figure is not told, because it would tell of few people."""
    reading.note(figure, f"it is not shown where it would tell of fewer than {FEWEST} people")
