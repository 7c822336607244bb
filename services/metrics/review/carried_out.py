"""Was it carried out? What was planned against what was done, step by step: what was not done has not failed.

What comes again counts once in each of its stretches, so that five talks in one week do not stand for five weeks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.metrics.review.conventions import mean_of

LEAST: Final = 0.5
"""Of what was planned so much is to be done, or the effect is not judged."""
SMALL_MEETING: Final = 4
"""A meeting of more is no meeting of two."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A step: how often something was to be done by now, and how often it was."""

    option: str
    what: str
    planned: int
    done: int

    @property
    def share(self) -> float | None:
        """done ÷ planned; none while nothing is due."""
        return min(1.0, self.done / self.planned) if self.planned else None


def share_of(steps: Iterable[Carried]) -> float | None:
    """The mean of the steps' shares, each alike; none while nothing is due."""
    shares = [each.share for each in steps if each.share is not None]
    return mean_of(shares) if shares else None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Every so many days from one day to before another."""

    start: date
    end: date
    every: int

    def due(self, day: date) -> int:
        """How many stretches are over when a day begins."""
        return max(0, (min(day, self.end) - self.start).days // self.every)

    def kept(self, days: Collection[date], day: date) -> int:
        """In how many of those it happened."""
        return sum(
            any(self.start + timedelta(days=place * self.every) <= each
                < self.start + timedelta(days=(place + 1) * self.every) for each in days)
            for place in range(self.due(day))
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contact:
    """Two or more had to do with each other on a day: in a small meeting, or by a check-in."""

    on: date
    who: frozenset[str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A liaison: the ids that stand for each side, one member or all of a department."""

    one: frozenset[str]
    other: frozenset[str]

    def met(self, contacts: Sequence[Contact]) -> set[date]:
        """The days on which they had to do with each other."""
        return {
            each.on for each in contacts
            if any(one != other and {one, other} <= each.who for one in self.one for other in self.other)
        }  # fmt: skip


def pairs_met(
    option: str, planned: int, pairs: Sequence[Pair], rhythm: Rhythm, contacts: Sequence[Contact], day: date
) -> Carried:
    """Liaisons: of so many planned, in how many stretches each of those there are met."""
    kept = sum(rhythm.kept(each.met(contacts), day) for each in pairs)
    return Carried(option, "liaisons", planned * rhythm.due(day), kept)


def meetings_held(option: str, rhythm: Rhythm, times: int | None, days: Collection[date], day: date) -> Carried:
    """Meetings that come again: in how many stretches one was held."""
    due = rhythm.due(day) if times is None else min(times, rhythm.due(day))
    return Carried(option, "meetings", due, min(due, rhythm.kept(days, day)))
