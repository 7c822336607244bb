"""Does training help? Attainment of the three months before and after the month of a training, trained against not.

The effect of a training is known three months after the month in which it was completed, and stands in the period in
which it becomes known. How it is computed from the cases stands in `comparison`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any, Final

import sqlalchemy as sa
from dateutil.relativedelta import relativedelta

from services.metrics.facts.teams import MemberFact
from services.metrics.facts.trainings import TrainingFact
from services.metrics.views.comparison import CONFIDENCE, FEWEST, Case, effect_of
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.targets import Aim, targets_of_level
from services.metrics.views.values import decimal
from shared.membership import covers, end_of, held_on
from shared.money import rounded
from shared.period import Period

KEY: Final = "training_effect"
MONTHS: Final = 3
"""How many months are looked at before and after the month of a training."""
_training = TrainingFact.__table__.c  # type: ignore[attr-defined]
_COMPLETED = sa.select(_training.member, _training.completed_on).where(
    _training.completed_on >= sa.bindparam("start", type_=sa.Date()),
    _training.completed_on < sa.bindparam("end", type_=sa.Date()),
)
_MEMBERS = sa.select(MemberFact).order_by(MemberFact.__table__.c.id)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Around:
    """The months before and after the month of a training."""

    month: date

    @property
    def before(self) -> Period:
        """The months before."""
        return Period.between(self.month - relativedelta(months=MONTHS), self.month)

    @property
    def after(self) -> Period:
        """The months after."""
        first = self.month + relativedelta(months=1)
        return Period.between(first, first + relativedelta(months=MONTHS))


def known_within(start: date, end: date) -> list[Around]:
    """The months of trainings whose effect becomes known on days of a period."""
    first = start.replace(day=1) - relativedelta(months=MONTHS + 1)
    found = []
    while (around := Around(first)).after.end <= end:
        if around.after.end > start:
            found.append(around)
        first += relativedelta(months=1)
    return found


async def training_effect(reading: Reading) -> Any:
    """Change of the trained less that of comparable untrained."""
    if set(reading.filters) - {"department"}:
        reading.note(KEY, "it is known for the whole and by department")
        return None

    async def read() -> tuple[Sequence[Case], Sequence[Case]]:
        return await _cases(reading)

    trained, untrained = await reading.shared("cases of training", read)
    meant = [case for case in trained if reading.filters.get("department", case.department) == case.department]
    found = effect_of(meant, untrained)
    if found.difference is None or found.half is None:
        reading.note(KEY, f"{found.trained} trained and {found.untrained} comparable untrained members have targets "
                          f"around trainings whose effect became known; of fewer than {FEWEST} of each nothing is "
                          "claimed")  # fmt: skip
        return None
    middle = rounded(found.difference)
    return {
        "difference": decimal(middle), "low": decimal(middle - found.half), "high": decimal(middle + found.half),
        "confidence": CONFIDENCE, "trained": found.trained, "untrained": found.untrained,
    }  # fmt: skip


async def _cases(reading: Reading) -> tuple[Sequence[Case], Sequence[Case]]:
    # Departments are compared within, so that all rows of a breakdown share what is read of everybody.
    reading = Reading(reading.snapshot, replace(reading.question, filters={}, into=None), reading.shelf)
    span = reading.question.span
    months = known_within(span.start, span.asked)
    if not months:
        return [], []
    days = {"start": months[0].before.start, "end": months[-1].after.end}
    completed = [(str(member), _day(on)) for member, on in await reading.snapshot.rows(_COMPLETED, **days)]
    cases: tuple[list[Case], list[Case]] = ([], [])
    seen: set[str] = set()
    people = await reading.snapshot.all(MemberFact, _MEMBERS) if completed else []
    for around in months:
        now = {member for member, on in completed if on.replace(day=1) == around.month}
        if not now:
            continue
        others = {member for member, on in completed if around.before.start <= on < around.after.end} - now
        attained = [await _attained(reading, part) for part in (around.before, around.after)]
        for member in people:
            if member.id in others or (member.id in now and member.id in seen):
                continue
            case = _case(member, around, *(each.get(member.id) for each in attained))
            if case is not None:
                cases[member.id not in now].append(case)
        seen |= now
    return cases


def _case(member: MemberFact, around: Around, before: Fraction | None, after: Fraction | None) -> Case | None:
    employment, department = held_on(member.employments, around.month), member.department_on(around.month)
    if employment is None or department is None or before is None or after is None:
        return None
    end = end_of(employment)
    if not covers(employment, around.before.start) or (end is not None and end < around.after.end):
        return None
    worked = relativedelta(around.month, date.fromisoformat(employment["from"]))
    tenure = 12 * worked.years + worked.months
    return Case(member.id, around.month.isoformat(), department, tenure, before, after)


async def _attained(reading: Reading, period: Period) -> Mapping[str, Fraction]:
    """What each member attained of their targets in some months; not of who has none, or some in several currencies."""
    days = reading.over(period)
    entries = await days.once("revenue by member", lambda: days.entries_along("member", "won"))
    quotas: dict[str, list[Aim]] = {}
    for target in sorted(await targets_of_level(days, "member"), key=lambda each: (-each.period.days, each.start)):
        aims = quotas.setdefault(target.ref, [])
        # Quarters do not end with these months: of each target its part of them, the longer for the shorter.
        if not any(_meet(target.period, aim.target.period) for aim in aims):
            start, end = max(period.start, target.period.start), min(period.end, target.period.end)
            aims.append(Aim(target, Period.between(start, end)))
    found = {}
    for member, aims in quotas.items():
        currencies = {aim.target.currency for aim in aims}
        value = sum((aim.value for aim in aims), Fraction(0))
        if len(currencies) == 1 and value:
            entry = entries.get(member)
            found[member] = Fraction(entry.amount.of(*currencies) if entry is not None else 0) / value
    return found


def _meet(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end


def _day(on: Any) -> date:
    return on if isinstance(on, date) else date.fromisoformat(on)


TRAINING_EFFECT = Figure(
    KEY, "Change of attainment from the three months before to the three months after the month of a training: mean of "
    "the trained less that of untrained members of the same department, similar tenure and attainment before; in the "
    "period in which it becomes known, with its 95 % interval.", training_effect,
    opens="what single people attained is told to nobody; who was trained, by trainings_completed",
)  # fmt: skip
