"""How active members are after setbacks, and usually; whose they were is known by a token that can be forgotten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from math import fsum
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.goals import ReadingFact
from services.metrics.facts.support import SetbackFact
from services.metrics.facts.teams import PersonFact
from services.metrics.review.conventions import median_of
from services.metrics.review.inputs import Setback
from services.metrics.review.reading.belonging import Belonging
from shared.store import Snapshot
from shared.store.sql import OneOf

_person, _setback = PersonFact.__table__.c, SetbackFact.__table__.c  # type: ignore[attr-defined]
_reading = ReadingFact.__table__.c  # type: ignore[attr-defined]
_START, _END = sa.bindparam("start", type_=sa.Date()), sa.bindparam("end", type_=sa.Date())
ACTIVITIES: Final = "activities"
STRETCH: Final = 10
"""Working days."""
LEAST, MOST = 3, 6
"""Of how many stretches before a setback the usual is the median."""
_WEEKS_BEFORE: Final = timedelta(weeks=26)
_TOKENS = sa.select(_person.id, _person.token).where(OneOf(_person.id, "ids"), _person.token.is_not(None))
_SETBACKS = sa.select(SetbackFact).where(
    OneOf(_setback.person, "tokens"), _setback.happened_on >= _START, _setback.happened_on < _END
)
_DONE = sa.select(_reading.member, _reading.on, _reading.number).where(
    OneOf(_reading.member, "ids"), _reading.metric == ACTIVITIES, _reading.withdrawn.is_(False),
    _reading.on >= _START, _reading.on < _END,
)  # fmt: skip
_OF_TEAM = sa.select(_reading.number).where(
    _reading.team == sa.bindparam("team"), _reading.metric == ACTIVITIES, _reading.withdrawn.is_(False),
    _reading.on >= _START, _reading.on < _END,
)  # fmt: skip
Works = Callable[[date], bool]


async def setbacks_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[Setback, ...]:
    """Setbacks of members since which ten working days are over, where enough is known of the time before."""
    whose = {token: member for member, token in await snapshot.rows(_TOKENS, ids=team.ids)}
    if not whose:
        return ()
    start = team.period.start
    found = await snapshot.all(SetbackFact, _SETBACKS, tokens=sorted(whose), start=start, end=end)
    done = await _activities(snapshot, team, end) if found else {}
    works = {each.id: each.works_on for each in team.members()}
    told = []
    for each in found:
        member = whose[each.person]
        if member in done and each.happened_on is not None:
            after, usual = around(each.happened_on, done[member], works[member], end)
            if after is not None and usual is not None:
                told.append(Setback(id=each.id, member=member, on=each.happened_on, after=after, usual=usual))
    return tuple(told)


async def _activities(snapshot: Snapshot, team: Belonging, end: date) -> Mapping[str, Mapping[date, float]]:
    """By member and day; who has none recorded at all is not in it."""
    rows = await snapshot.rows(_DONE, ids=team.ids, start=team.period.start - _WEEKS_BEFORE, end=end)
    found: defaultdict[str, defaultdict[date, float]] = defaultdict(lambda: defaultdict(float))
    for member, on, number in rows:
        found[member][on] += float(Decimal(number or "0"))
    return found


def around(on: date, done: Mapping[date, float], works: Works, end: date) -> tuple[float | None, float | None]:
    """The activities in the ten working days after a day, and the median of up to six stretches of ten before it."""
    first = min(done)
    later = [day for day in map(date.fromordinal, range(on.toordinal() + 1, end.toordinal())) if works(day)][:STRETCH]
    earlier = [day for day in map(date.fromordinal, range(on.toordinal() - 1, first.toordinal() - 1, -1)) if works(day)]
    known = len(earlier) // STRETCH
    stretches = [earlier[STRETCH * each : STRETCH * (each + 1)] for each in range(min(MOST, known))]
    after = sum(done.get(day, 0.0) for day in later) if len(later) == STRETCH else None
    usual = [sum(done.get(day, 0.0) for day in days) for days in stretches]
    return after, median_of(usual) if len(usual) >= LEAST else None


async def activities_of(snapshot: Snapshot, team: Belonging, end: date) -> tuple[float, float] | None:
    """What is recorded of the team in the period, and in as many days before; none where in one of them nothing is."""
    start = team.period.start
    before = start - (end - start)
    now, then = [
        [float(Decimal(number or "0")) for (number,) in await snapshot.rows(
            _OF_TEAM, team=team.team.id, start=since, end=until
        )]
        for since, until in ((start, end), (before, start))
    ]  # fmt: skip
    return (fsum(now), fsum(then)) if now and then else None
