"""How much of their time are our people away? Days of absence, and never of whom or why.

A day counts as what may be expected of members counts it: each day of the calendar on which somebody works here, by the
share of it that they are away. It counts up to the day of asking, for the department and the team (that joined last)
of the day. What is told of them is told as of everything that concerns people (`private.py`); whose days they were is
for who may see that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.teams import AbsenceFact, MemberFact
from services.metrics.views.frame import Figure, Reading
from services.metrics.views.people import everybody
from services.metrics.views.private import Private
from services.metrics.views.row_source import Source, simple
from services.metrics.views.values import decimal
from shared.membership import covers, end_of
from shared.period import Period

_absence = AbsenceFact.__table__.c  # type: ignore[attr-defined]
_AWAY = sa.select(AbsenceFact).where(
    _absence.start < sa.bindparam("end", type_=sa.Date()),
    sa.or_(_absence.end.is_(None), _absence.end > sa.bindparam("start", type_=sa.Date())),
)
OFFICE: Final = "absences:write"
"""Who notes absences sees whose they are."""


@dataclass(frozen=True, slots=True)
class Away:
    """Some days of a month on which a member was away from one department and team."""

    absence: str
    person: str
    happened_on: date
    department: str
    team: str
    days: Fraction


async def away_in(reading: Reading, period: Period) -> list[Away]:
    """When everybody was away on days of a period, as far as these have come."""
    tomorrow = date.fromordinal(reading.question.today.toordinal() + 1)
    end = min(period.end, tomorrow)
    if end <= period.start:
        return []
    there = {each.id: each for each in await everybody(reading)}
    found = await reading.snapshot.all(AbsenceFact, _AWAY, start=period.start, end=end)
    days = Period.between(period.start, end)
    return [each for fact in found if fact.member in there for each in stretches_of(fact, there[fact.member], days)]


def stretches_of(absence: AbsenceFact, member: MemberFact, days: Period) -> Iterator[Away]:
    """An absence, cut where a month, an employment or a belonging of the member begins or ends."""
    start, end = max(absence.start or days.end, days.start), min(absence.end or days.end, days.end)
    if start >= end:
        return
    spells = (*member.employments, *member.departments, *member.memberships)
    edges = {date.fromisoformat(each["from"]) for each in spells} | {end_of(each) or end for each in spells}
    edges |= {month.start for month in Period.between(start, end).months()}
    inside = sorted(day for day in edges if start < day < end)
    for first, last in pairwise([start, *inside, end]):
        if any(covers(each, first) for each in member.employments):
            yield Away(
                absence.id, member.id, first, member.department_on(first) or "", member.team_on(first) or "",
                Fraction(absence.share) * (last - first).days,
            )  # fmt: skip


def days_of(found: Sequence[Away]) -> str:
    """Days, and parts of days."""
    days = sum((each.days for each in found), Fraction(0))
    return decimal(Decimal(days.numerator) / days.denominator, 2)


def people_of(found: Iterable[Away]) -> int:
    """How many members were away."""
    return len({each.person for each in found})


async def _rows(reading: Reading) -> list[sa.ColumnElement[bool]]:
    span = reading.question.span
    away = await away_in(reading, Period.between(span.start, span.end))
    ids = {each.absence for each in away
           if all(getattr(each, dim, None) == key for dim, key in reading.filters.items())}  # fmt: skip
    return [_absence.id.in_(sorted(ids))]


_DIMENSIONS: Final = ("department", "team")
_OPENED: Final = "not told where that would tell of fewer than five people"
ABSENCE_FIGURES = (
    Figure("absence_days", "Days of the calendar in a month, a quarter or a year on which members who work here were "
           f"away, each by the share of it they were; {_OPENED}.",
           Private("absences", _DIMENSIONS, away_in, days_of).figure("absence_days"), "absences"),
    Figure("members_absent", "Members who were away on a day of a month, a quarter or a year, or on a part of one; "
           f"{_OPENED}.", Private("absences", _DIMENSIONS, away_in, people_of).figure("members_absent"), "absences"),
)  # fmt: skip
ABSENCE_ROWS: Mapping[str, Source] = {
    "absences": Source(
        AbsenceFact, _rows, simple("absence", "member", "start", "end", "share"),
        theirs=lambda members: _absence.member.in_(members), office=OFFICE,
    ),
}  # fmt: skip
