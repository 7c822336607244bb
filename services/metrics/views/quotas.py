"""How many of those with a quota have reached it.

A member's quota is their revenue targets of the question, chosen as everywhere (see `targets`). It is held against
what is credited to them on the days of those targets. Only days up to the day asked are compared, on both sides: of a
quota that runs, what its distribution has due by then; a quota that has not begun counts for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Any, Final

from services.metrics.facts.targets import TargetFact
from services.metrics.views.frame import Reading
from services.metrics.views.opportunity import careers_of
from services.metrics.views.targets import Aim, aims_of_each, joined_days, may_add_up
from services.metrics.views.values import Amounts, shown_rate
from shared.opportunity import counting
from shared.period import Period

KEY: Final = "quota_attainment_rate"
CIRCLES: Final = ("department", "team", "group")
"""For whom members' quotas count, besides the organisation."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a member was to bring by the day asked, and on which days."""

    member: str
    aims: Sequence[Aim]
    days: tuple[tuple[date, date], ...]

    @property
    def currencies(self) -> set[str]:
        """The currencies its targets are in."""
        return {aim.target.currency for aim in self.aims}

    def due(self, asked: date) -> Fraction:
        """What of it is due before a day, in minor units."""
        return sum((aim.before(asked) for aim in self.aims), Fraction(0))


def of_members(reading: Reading) -> bool:
    """Whether the question is about the members of one department, team or group, or about all."""
    return len(reading.filters) <= 1 and not set(reading.filters) - set(CIRCLES)


async def counting_for(reading: Reading, member: str, aims: Sequence[Aim]) -> Sequence[Aim]:
    """The parts of a member's quotas that count for the department, team or group that is asked about."""
    for level in CIRCLES:
        if level in reading.filters:
            people, _ = await careers_of(reading)
            ref = reading.filters[level]
            return [Aim(aim.target, days) for aim in aims for days in counting(people[member], level, ref, aim.days)]
    return aims


async def quotas_of(reading: Reading) -> Sequence[Quota]:
    """The quotas of the members, so far as they have begun by the day asked and count for whoever is asked about."""
    asked = reading.question.span.asked
    quotas = []
    for member, aims in (await aims_of_each(reading, "member")).items() if of_members(reading) else ():
        begun = [aim for aim in await counting_for(reading, member, aims) if aim.days.start < asked and aim.value]
        days = tuple((start, min(end, asked)) for start, end in joined_days([aim.days for aim in begun]))
        if begun:
            quotas.append(Quota(member, begun, days))
    return quotas


async def quota_targets(reading: Reading) -> Sequence[TargetFact]:
    """The targets that the quotas are made of."""
    return [aim.target for quota in await quotas_of(reading) for aim in quota.aims]


async def quota_attainment_rate(reading: Reading) -> Any:
    """Members at or above their quota ÷ members with a quota."""
    if not of_members(reading):
        reading.note(KEY, "it is counted over the members of a department, a team, a group, or over all")
        return None
    asked = reading.question.span.asked
    quotas = await quotas_of(reading)
    if not may_add_up(reading, KEY, (quota.member for quota in quotas)):
        return None
    reached, several = 0, 0
    for quota in quotas:
        if len(quota.currencies) > 1:
            several += 1
            continue
        reached += await earned_for(reading, KEY, quota, *quota.currencies) >= quota.due(asked)
    if several:
        reading.note(KEY, f"{several} members have quotas in several currencies, and count on neither side")
    elif not quotas:
        reading.note(KEY, "no member has a quota that has begun by the day asked")
    return shown_rate(reached, len(quotas) - several)


async def earned_for(reading: Reading, figure: str, quota: Quota, currency: str) -> int:
    """What is credited to a member on the days of their quota, in minor units of its currency: other currencies at the
    rates of their days, as far as these are known."""
    earned = Amounts()
    for start, end in quota.days:
        # A quota is reached by all that is credited to a member, whatever part of the organisation is asked about.
        days = reading.about({}).over(Period.between(start, end))
        earned += await days.worth(currency, partial(_credited, member=quota.member))
    reading.note_besides(figure, "revenue", earned, "quota", currency)
    return earned.of(currency)


async def _credited(days: Reading, member: str) -> Amounts:
    entries = await days.once("revenue by member", lambda: days.entries_along("member", "won"))
    return entries[member].amount if member in entries else Amounts()
