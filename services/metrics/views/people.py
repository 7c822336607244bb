"""People by where they belong: figures about people are asked of all, of a department or of a team."""

from __future__ import annotations

from datetime import date
from typing import Literal

import sqlalchemy as sa

from services.metrics.facts.teams import MemberFact
from services.metrics.views.frame import Reading
from shared.membership import on_day
from shared.opportunity import FULL, ramp_on

BELONGING = ("department", "team")
_SPELLS = {"department": "departments", "team": "memberships", "group": "groups"}
"""By what people are asked for, each with the spells that say who belongs there."""
_MEMBERS = sa.select(MemberFact)


def by_belonging(reading: Reading, figure: str) -> bool:
    """Whether a figure about people can be told for what is asked about; if not, a note says so."""
    if set(reading.filters) - set(BELONGING) or len(reading.filters) > 1:
        reading.note(figure, "people are counted by department or by team")
        return False
    return True


def last_day(reading: Reading) -> date:
    """The last day of the period, or the day of asking, whichever is earlier."""
    return date.fromordinal(reading.question.span.asked.toordinal() - 1)


async def in_ramp(reading: Reading) -> list[MemberFact]:
    """Who works here at the end and is not expected to reach a full quota yet."""
    last = last_day(reading)
    return [each for each in await here_at_the_end(reading) if ramp_on(each, last) < FULL]


async def here_at_the_end(reading: Reading) -> list[MemberFact]:
    """Who works here, in the department, team or group asked about, at the end of the period or on the day of asking;
    nobody where something else is asked about."""
    last = last_day(reading)
    here = [each for each in await everybody(reading) if on_day(each.employments, last)]
    if set(reading.filters) - _SPELLS.keys():
        return []
    return [
        each
        for each in here
        if all(key in on_day(getattr(each, _SPELLS[dim]), last) for dim, key in reading.filters.items())
    ]


async def came_or_went(reading: Reading, end: Literal["from", "to"]) -> list[MemberFact]:
    """Whose employment, or whose belonging to what is asked about, began or ended on a day of the period."""
    dim, key = next(iter(reading.filters.items()), ("", ""))
    if len(reading.filters) > 1 or dim not in {"", *_SPELLS}:
        return []
    first, last = reading.question.span.start.isoformat(), reading.question.span.end.isoformat()

    def counts(member: MemberFact) -> bool:
        spells = getattr(member, _SPELLS[dim]) if dim else member.employments
        return any(first <= (each[end] or "") < last for each in spells if not dim or each["of"] == key)

    return [each for each in await everybody(reading) if counts(each)]


async def everybody(reading: Reading) -> list[MemberFact]:
    """All who work here or did; read once for a view and its breakdown."""
    found: list[MemberFact] = await reading.shared("everybody", lambda: reading.snapshot.all(MemberFact, _MEMBERS))
    return found
