"""What may be expected of members of their quotas: one arithmetic for everybody who shows it.

Adjusted quota = quota x ramp x active share, day by day along the quota's distribution. The ramp is the share of a full
quota that is expected of somebody so many whole months after their employment began. The active share is the part of
a day on which they work here and are not away; who is not employed on a day is away on it. A working share is not
applied: a quota is set for whom it is set for. (Ramp-adjusted attainment as the OAR review defines it, without its
factor of the market.) Of a team, a group, a department and the organisation that is expected which may be expected of
their members, of each for the days on which they count there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Final, Protocol, TypeVar

from dateutil.relativedelta import relativedelta

from shared.careers import Away, Career
from shared.membership import Spell, covers, end_of, held_on, latest_on, on_day
from shared.period import Period

FULL: Final = Fraction(1)
Due = Callable[[date], Fraction]
"""What of something is due before a day."""


class _Dated(Protocol):
    @property
    def period(self) -> Period: ...


D = TypeVar("D", bound=_Dated)


@dataclass(frozen=True, slots=True)
class Quota:
    """What a member is to achieve in a period."""

    member: str
    period: Period
    due: Due


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
        """Several quotas."""
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


def adjusted(due: Due, period: Period, before: date, found: Sequence[Stretch]) -> Adjusted:
    """The part of a quota that may be expected; `due` says what of it is due before a day of the period."""
    value = so_far = worked = Fraction(0)
    for each in found:
        begun = due(each.start)
        active = (due(each.end) - begun) * each.active
        worked, value = worked + active, value + active * each.ramp
        if before > each.start:
            so_far += (due(min(each.end, before)) - begun) * each.active * each.ramp
    return Adjusted(due(period.end) - due(period.start), value, so_far, worked)


def standing(targets: Sequence[D], asked: Period) -> list[tuple[D, Period]]:
    """The targets of somebody that stand for a period, each with the days it stands for.

    Those whose days lie within it, the longer ones for shorter ones they overlap; where none does, the period's part of
    the smallest one around it.
    """
    by_length = [(each, each.period) for each in targets]
    if len(by_length) > 1:
        by_length.sort(key=lambda each: (-each[1].days, each[1].start))
    chosen: list[tuple[D, Period]] = []
    for each, period in by_length:
        inside = asked.start <= period.start and period.end <= asked.end
        if inside and not any(period.start < days.end and days.start < period.end for _, days in chosen):
            chosen.append((each, period))
    if chosen:
        return chosen
    around = [(each, period.start, period.end) for each, period in by_length
              if period.start <= asked.start and asked.end <= period.end]  # fmt: skip
    # Of several for the same days the first stands, here as above: who asks names those that are not closed first.
    smallest = [each for each, *days in around if days == list(around[-1][1:])]
    return [(each, asked) for each in smallest[:1]]


def counting(member: Career, level: str, ref: str, period: Period) -> Iterator[Period]:
    """The days of a period on which a member counts for a team or department (that joined last), for a group they are
    in, or for the organisation, always."""
    if level in ("organisation", "member"):
        yield period
        return
    spells: list[Spell] = {"team": member.memberships, "group": member.groups, "department": member.departments}[level]
    if all(each["of"] != ref for each in spells):
        return
    edges = {date.fromisoformat(each["from"]) for each in spells} | {end_of(each) or period.end for each in spells}
    days = sorted({period.start, *(day for day in edges if period.start < day < period.end)})
    for start, end in pairwise([*days, period.end]):
        counts = ref in on_day(spells, start) if level == "group" else latest_on(spells, start) == ref
        if counts:
            yield Period.between(start, end)


def expected_of(
    level: str,
    ref: str,
    days: Period,
    quotas: Sequence[Quota],
    people: Mapping[str, Career],
    absences: Mapping[str, Sequence[Away]],
    before: date,
) -> Adjusted | None:
    """What may be expected of some days of whoever these members count for; none without a quota of theirs."""
    found: list[Adjusted] = []
    for member, own in groupby(sorted(quotas, key=lambda each: each.member), key=lambda each: each.member):
        for quota, part in standing(list(own), days):
            for counted in counting(people[member], level, ref, part):
                of_each = stretches(people[member], absences.get(member, ()), counted)
                found.append(adjusted(quota.due, counted, before, of_each))
    return sum(found, Adjusted()) if found else None


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
    missing = sum((Fraction(each.share) for each in away if each.covers(day)), Fraction(0))
    return max(FULL - missing, Fraction(0))
