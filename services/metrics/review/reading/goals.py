"""The organisation's goals, how far they are reached in a period, and which of a team's targets are linked to them."""

from __future__ import annotations

from fractions import Fraction

import sqlalchemy as sa

from services.metrics.facts.teams import GroupFact
from services.metrics.review.inputs import Goal
from services.metrics.review.reading.belonging import Belonging
from services.metrics.views.goals import Aims
from shared.store import Snapshot

_group = GroupFact.__table__.c  # type: ignore[attr-defined]
_GROUPS = sa.select(_group.id).where(_group.team == sa.bindparam("team"))


async def goals_of(aims: Aims, team: Belonging) -> tuple[Goal, ...]:
    """The organisation's goals, with what of the team is linked to each."""
    circle = await _circle(aims.reading.snapshot, team)
    found = []
    for goal, weight in aims.weighed():
        below = aims.below(goal.id)
        linked = [each for each in aims.targets if each.goal in below and (each.level, each.ref) in circle]
        reached, by_team = await aims.reached(goal), await aims.by(linked)
        found.append(
            Goal(id=goal.id, weight=float(weight), linked=bool(linked), reached=as_number(reached),
                 by=tuple(sorted(each.id for each in linked)), by_team=as_number(by_team))
        )  # fmt: skip
    return tuple(found)


async def _circle(snapshot: Snapshot, team: Belonging) -> set[tuple[str, str]]:
    """Whose targets are the team's: its own, its groups' and its members'."""
    groups = await snapshot.rows(_GROUPS, team=team.team.id)
    return {("team", team.team.id), *(("group", key) for (key,) in groups), *(("member", each) for each in team.ids)}


def as_number(rate: Fraction | None) -> float | None:
    """A rate as reviews compute with it."""
    return None if rate is None else rate.numerator / rate.denominator
