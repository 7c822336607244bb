"""Whether the measures of reviews look at groups of people alike: newcomers, absent members, and those who work
part-time, remotely or partly so, against all others.

A difference says nothing about people: it says that the measure is to be looked at. Only what is lawfully held is
compared, and no group of fewer than five people is told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.metrics.review.conventions import Interval, wilson
from services.metrics.review.written import number

FEWEST: Final = 5
LOW: Final = 60
"""Below so many percent a share of a member counts as low."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A member as a review saw them, and to which groups they belong."""

    groups: frozenset[str]
    isolated: bool
    values: Mapping[str, float]
    """Their measures that have a number."""
    unknown: frozenset[str] = frozenset()
    """Groups of which nobody knows whether they belong to them: there they are compared with nobody."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a group something is true of."""

    hits: int
    of: int

    @property
    def interval(self) -> Interval | None:
        """Between what the share lies in nine of ten cases; none of too few."""
        return wilson(self.hits, self.of) if self.of >= FEWEST else None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is true of a group against all others; the measure is to be looked at where the two cannot be alike."""

    group: str
    outcome: str
    theirs: Share
    others: Share

    @property
    def look_at_the_measure(self) -> bool | None:
        """Whether the intervals do not meet; none where one of them is of too few."""
        mine, rest = self.theirs.interval, self.others.interval
        if mine is None or rest is None:
            return None
        return mine.low > rest.high or rest.low > mine.high


Judge = Callable[[Seen], bool | None]
OUTCOMES: Final[dict[str, Judge]] = {
    "isolated": lambda each: each.isolated,
    "low attendance": lambda each: _low(each, "IB1"),
    "low follow-through": lambda each: _low(each, "IB4"),
    "low contribution to meetings": lambda each: _low(each, "IB2"),
}
GROUPS: Final = ("new", "absent", "part-time", "remote", "hybrid")


def compared(people: Sequence[Seen]) -> list[Difference]:
    """Every group by every outcome."""
    return [
        Difference(group, outcome, _share((each for each in people if group in each.groups), judge),
                   _share((each for each in people if group not in each.groups | each.unknown), judge))
        for group in GROUPS
        for outcome, judge in OUTCOMES.items()
    ]  # fmt: skip


def written(found: Difference) -> dict[str, Any]:
    """A difference as it is shown; of fewer than five people only that they are too few."""
    return {
        "group": found.group, "outcome": found.outcome, "theirs": _shown(found.theirs), "others": _shown(found.others),
        "look_at_the_measure": found.look_at_the_measure,
    }  # fmt: skip


def _shown(share: Share) -> dict[str, Any] | None:
    between = share.interval
    if between is None:
        return None
    return {"numerator": share.hits, "denominator": share.of, "low": number(between.low),
            "high": number(between.high)}  # fmt: skip


def _share(people: Iterable[Seen], judge: Judge) -> Share:
    known = [said for each in people if (said := judge(each)) is not None]
    return Share(sum(known), len(known))


def _low(each: Seen, measure: str) -> bool | None:
    value = each.values.get(measure)
    return None if value is None else value < LOW
