"""With which teams a team's targets are compared: those of its region, where there are enough of them.

Targets are set for a region: when most teams of one are below theirs, that speaks of the targets there, whatever teams
elsewhere achieve (`docs/decisions/0020-reviews-as-they-are-used.md`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import sqlalchemy as sa

from services.metrics.facts.teams import TeamFact
from services.metrics.review.inputs import Organisation
from shared.store import Snapshot

FEWEST: Final = 3
"""Of fewer teams nothing is said of targets."""
_team = TeamFact.__table__.c  # type: ignore[attr-defined]
_OF_REGION = sa.select(_team.id).where(_team.region == sa.bindparam("region"))


async def near(snapshot: Snapshot, team: TeamFact, others: Organisation) -> Organisation:
    """What a review needs to know of the others, of attainments only those of the team's region, if they are enough."""
    if team.region is None:
        return others
    region = {str(key) for (key,) in await snapshot.rows(_OF_REGION, region=team.region)}
    found = tuple(each for each in others.attainments if each[0] in region)
    return replace(others, attainments=found) if len(found) >= FEWEST else others
