"""What was aimed at in a period, and how far it has been reached.

The targets of a question are those whose days lie within its period. Where they overlap (a year beside its months) the
longer ones stand for the shorter, so nothing is aimed at twice. Where none lies within, the period's part of the
smallest target around it stands, as that is distributed. An organisation without targets of its own aims at what its
teams aim at together, or else its members; a group, at what its members aim at while they belong to it. Revenue is set
against a target of the same days only: if the targets cover a part of the period, what was won outside that part does
not count as reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from services.metrics.facts.targets import TargetFact
from services.metrics.views.frame import Reading
from services.metrics.views.values import Amounts
from shared.attainment import Attainment
from shared.few import WITHHELD, may_be_told
from shared.membership import end_of
from shared.money import Money
from shared.opportunity import standing
from shared.period import Period
from shared.store.sql import OneOf

_target = TargetFact.__table__.c  # type: ignore[attr-defined]
DURING: Final = (
    sa.select(TargetFact)
    .where(
        _target.level == sa.bindparam("level"),
        _target.start < sa.bindparam("end", type_=sa.Date()),
        _target.end > sa.bindparam("start", type_=sa.Date()),
        # Closed when its time was over, a target was one; closed before it began, it never was.
        sa.or_(_target.closed_on.is_(None), _target.closed_on > _target.start),
    )
    .order_by(_target.closed_on.is_not(None), _target.closed_on.desc(), _target.id)
)
"""The targets of a level that have a day in some days; of the same days, one that is not closed comes first."""
_REVENUE = DURING.where(_target.metric == "revenue")
_REVENUE_OF = _REVENUE.where(OneOf(_target.ref, "refs"))
LEVELS: Final = ("department", "team", "group", "member")
ROLLED_UP: Final = ("organisation", "team", "member")
NO_TARGET = "no revenue target is set for these days"


@dataclass(frozen=True, slots=True)
class Aim:
    """A target, or the part of one that the period takes from it."""

    target: TargetFact
    days: Period

    def before(self, day: date) -> Fraction:
        """What of it is due before a day, in minor units or in things."""
        due = self.target.due_before
        return max(due(min(day, self.days.end)) - due(self.days.start), Fraction(0))

    @property
    def value(self) -> Fraction:
        """All that is aimed at."""
        return self.before(self.days.end)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the targets of a question have been reached, in one currency."""

    state: Attainment
    currency: str

    def shown(self) -> dict[str, Any]:
        """Target, actual, attainment, variance and pace, as they are shown everywhere."""
        return self.state.shown(lambda amount: Money.of_minor(round(amount), self.currency).as_json())


async def aims_of(reading: Reading, figure: str) -> Sequence[Aim]:
    """The revenue targets of whoever the question is about; a note says where they come from, or why there are none."""
    level = next((each for each in LEVELS if each in reading.filters), "organisation")
    if len(reading.filters) > 1 or set(reading.filters) - {level}:
        reading.note(figure, "targets are set for the organisation, a department, a team, a group or a member")
        return []
    ref = reading.filters.get(level, "")
    for each in ROLLED_UP if level == "organisation" else (level,):
        whose = await aims_of_each(reading, each)
        aims = [aim for who, mine in whose.items() if who == ref or each != level for aim in mine]
        if aims:
            if each != level:
                reading.note(figure, f"the sum of the targets of the {each}s")
            return aims if each != "member" else _if_told(reading, figure, aims)
    aims = await _aims_of_members(reading, ref) if level == "group" else []
    reading.note(figure, "the sum of the targets of the members, while they belong to the group" if aims else NO_TARGET)
    return _if_told(reading, figure, aims)


def may_add_up(reading: Reading, figure: str, members: Iterable[str]) -> bool:
    """Whether who asks may be told what these members aim at together, or are to be expected to achieve; a note says
    so where they may not.

    Of a part of the organisation only who may see each of them is told: from the whole and another part the rest could
    be told.
    """
    whose, sees = set(members), reading.question.sees
    reading.added_up[figure] = reading.added_up.get(figure, frozenset()) | whose
    if sees is None or whose <= sees or (not reading.filters and may_be_told(whose, sees)):
        return True
    reading.note(figure, WITHHELD)
    return False


def _if_told(reading: Reading, figure: str, aims: list[Aim]) -> list[Aim]:
    return aims if may_add_up(reading, figure, (aim.target.ref for aim in aims)) else []


async def _aims_of_members(reading: Reading, group: str) -> list[Aim]:
    """What the members of a group aim at, on the days on which they belong to it."""
    circle = await reading.circle("group", group)
    whose = await aims_of_each(reading, "member")
    aims = []
    for aim, each in ((aim, each) for who, spells in circle.members.items() for each in spells
                      for aim in whose.get(who, ())):  # fmt: skip
        start = max(aim.days.start, date.fromisoformat(each["from"]))
        end = min(aim.days.end, end_of(each) or aim.days.end)
        if start < end:
            aims.append(Aim(aim.target, Period.between(start, end)))
    return aims


async def aims_of_each(reading: Reading, level: str, of: Sequence[str] | None = None) -> dict[str, list[Aim]]:
    """What each of a level aims at in the period, by id; or what each of some of them does."""
    found = await (targets_of_level(reading, level) if of is None else _targets_of(reading, level, of))
    whose: dict[str, list[TargetFact]] = {}
    for target in found:
        whose.setdefault(target.ref, []).append(target)
    period = reading.question.period
    return {who: [Aim(target, days) for target, days in standing(whose[who], period)] for who in sorted(whose)}


async def targets_of_level(reading: Reading, level: str) -> Sequence[TargetFact]:
    """The revenue targets of a level that have a day in the period, in the currency that is asked for."""
    period, settling = reading.question.period, await reading.settling()

    async def read() -> list[TargetFact]:
        found = await reading.snapshot.all(TargetFact, _REVENUE, level=level, start=period.start, end=period.end)
        return found if settling is None else [settling.aimed(each) for each in found]

    found: list[TargetFact] = await reading.shared(f"revenue targets of {level} in {reading.question.into}", read)
    return found


async def _targets_of(reading: Reading, level: str, refs: Sequence[str]) -> Sequence[TargetFact]:
    period = reading.question.period
    return await reading.snapshot.all(
        TargetFact, _REVENUE_OF, level=level, start=period.start, end=period.end, refs=list(refs)
    )


async def revenue_targets(reading: Reading) -> Sequence[TargetFact]:
    """The targets that a question's target is made of."""
    return [aim.target for aim in await aims_of(reading, "target")]


async def targeted(reading: Reading, figure: str) -> Amounts | None:
    """What is aimed at; none when nothing is, with a note."""
    aims = await aims_of(reading, figure)
    amounts: dict[str, Fraction] = {}
    for aim in aims:
        amounts[aim.target.currency] = amounts.get(aim.target.currency, Fraction(0)) + aim.value
    return Amounts({currency: round(amount) for currency, amount in amounts.items()}) if aims else None


async def reached(reading: Reading, figure: str) -> Reached | None:
    """How far the targets have been reached; none without targets, or across currencies, with a note."""
    aims = await aims_of(reading, figure)
    currencies = {aim.target.currency for aim in aims}
    if len(currencies) > 1:
        reading.note(figure, f"the targets are in several currencies: {', '.join(sorted(currencies))}")
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    stretches = joined_days([aim.days for aim in aims])
    asked = reading.question.period
    if stretches != [(asked.start, asked.end)]:
        days = ", ".join(f"{start} to {end}" for start, end in stretches)
        reading.note(figure, f"set against the revenue of the targets' days only: {days} (not included)")
    earned = Amounts()
    for start, end in stretches:
        earned += await reading.worth(currency, partial(_revenue, start=start, end=end))
    reading.note_besides(figure, "revenue", earned, "target", currency)
    asked_until = reading.question.span.asked
    value = sum((aim.value for aim in aims), Fraction(0))
    due = sum((aim.before(asked_until) for aim in aims), Fraction(0))
    return Reached(Attainment(value, Fraction(earned.of(currency)), due), currency)


def joined_days(days: Sequence[Period]) -> list[tuple[date, date]]:
    """Stretches of days without gaps or overlaps."""
    joined: list[tuple[date, date]] = []
    for start, end in sorted((each.start, each.end) for each in days):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


async def _revenue(reading: Reading, start: date, end: date) -> Amounts:
    asked = reading.question.period
    if (start, end) == (asked.start, asked.end):
        return (await reading.flow("won")).amount
    return (await reading.over(Period.between(start, end)).flow("won")).amount
