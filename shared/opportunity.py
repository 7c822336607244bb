"""What may be expected of a member of a quota: one arithmetic for everybody who shows it.

Adjusted quota = quota x ramp x active share, day by day along the quota's distribution. The ramp is the share of a full
quota that is expected of somebody so many whole months after their employment began. The active share is the part of
a day on which they work here and are not away; who is not employed on a day is away on it. A working share is not
applied: a quota is set for whom it is set for. (Ramp-adjusted attainment as the OAR review defines it, without its
factor of the market.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final, Protocol

from dateutil.relativedelta import relativedelta

from shared.careers import Away, Career
from shared.membership import Spell, covers, end_of, held_on
from shared.period import Period

FULL: Final = Fraction(1)


class Ramped(Protocol):
    """Somebody who is expected to reach a full quota by and by."""

    employments: list[Spell]
    ramps: list[Spell]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which the same is expected of somebody."""

    start: date
    end: date
    ramp: Fraction
    active: Fraction


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A quota, what of it may be expected in all and before a day, and the two factors that lead there."""

    quota: Fraction = Fraction(0)
    value: Fraction = Fraction(0)
    due: Fraction = Fraction(0)
    worked: Fraction = Fraction(0)
    """What of the quota falls on time that was worked: quota x active share."""

    @property
    def active(self) -> Fraction | None:
        """The active share of the days, by what of the quota they have."""
        return self.worked / self.quota if self.quota else None

    @property
    def ramp(self) -> Fraction | None:
        """The ramp of the time that was worked; quota x ramp x active share is the adjusted quota."""
        return self.value / self.worked if self.worked else None

    def __add__(self, other: Adjusted) -> Adjusted:
        """Several quotas of one member."""
        return Adjusted(
            self.quota + other.quota, self.value + other.value, self.due + other.due, self.worked + other.worked
        )


def stretches(member: Career, absences: Iterable[Away], period: Period) -> list[Stretch]:
    """The days of a period by what may be expected of a member on them."""
    away = [each for each in absences if each.start is not None]
    starts = {period.start}
    for spell in (*member.employments, *member.ramps):
        starts |= {date.fromisoformat(spell["from"]), end_of(spell) or period.end}
    for each in away:
        starts |= {each.start or period.start, each.end or period.end}
    steps = max((len(each["of"]) for each in member.ramps), default=0)
    for spell in member.employments:
        starts |= {date.fromisoformat(spell["from"]) + relativedelta(months=months) for months in range(1, steps + 1)}
    days = sorted(day for day in starts if period.start <= day < period.end)
    return [
        Stretch(start, end, ramp_on(member, start), _active(member, away, start))
        for start, end in pairwise([*days, period.end])
    ]


def adjusted(due: Callable[[date], Fraction], period: Period, before: date, found: Sequence[Stretch]) -> Adjusted:
    """The part of a quota that may be expected; `due` says what of it is due before a day of the period."""
    value = so_far = worked = Fraction(0)
    for each in found:
        begun = due(each.start)
        active = (due(each.end) - begun) * each.active
        worked, value = worked + active, value + active * each.ramp
        if before > each.start:
            so_far += (due(min(each.end, before)) - begun) * each.active * each.ramp
    return Adjusted(due(period.end) - due(period.start), value, so_far, worked)


def ramp_on(member: Ramped, day: date) -> Fraction:
    """The share of a full quota that is expected of somebody on a day."""
    employment, curve = held_on(member.employments, day), held_on(member.ramps, day)
    if employment is None or curve is None:
        return FULL
    start = date.fromisoformat(employment["from"])
    month = next((each for each in range(len(curve["of"])) if day < start + relativedelta(months=each + 1)), None)
    return FULL if month is None else Fraction(curve["of"][month])


def _active(member: Career, away: Sequence[Away], day: date) -> Fraction:
    if not any(covers(each, day) for each in member.employments):
        return Fraction(0)
    missing = sum(
        (Fraction(each.share) for each in away
         if each.start is not None and each.start <= day and (each.end is None or day < each.end)),
        Fraction(0),
    )  # fmt: skip
    return max(FULL - missing, Fraction(0))
