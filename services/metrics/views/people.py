"""People by where they belong: figures about people are asked of all, of a department or of a team."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from services.metrics.facts.teams import MemberFact
from services.metrics.views.frame import Reading
from shared.membership import on_day

BELONGING = ("department", "team")
_MEMBERS = sa.select(MemberFact)


def by_belonging(reading: Reading, figure: str) -> bool:
    """Whether a figure about people can be told for what is asked about; if not, a note says so."""
    if set(reading.filters) - set(BELONGING) or len(reading.filters) > 1:
        reading.note(figure, "people are counted by department or by team")
        return False
    return True


async def here_at_the_end(reading: Reading) -> list[MemberFact]:
    """Who works here, in the department or team asked about, at the end of the period or on the day of asking."""
    last = date.fromordinal(reading.question.span.asked.toordinal() - 1)

    async def read() -> list[MemberFact]:
        return [each for each in await reading.snapshot.all(MemberFact, _MEMBERS) if on_day(each.employments, last)]

    found: list[MemberFact] = await reading.shared("employed", read)
    spells = {"department": "departments", "team": "memberships"}
    return [
        each
        for each in found
        if all(key in on_day(getattr(each, spells[dim]), last) for dim, key in reading.filters.items())
    ]
