"""Whose affairs somebody may read: their own, and those of who is today in a team that they lead."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from shared.membership import on_day
from shared.store import Snapshot
from shared.store.sql import naming


async def people_of(snapshot: Snapshot, leader: str, day: date, *, teams: Any, members: Any) -> set[str]:
    """A member, and those who are on a day in a team that they lead."""
    team, member = teams.__table__.c, members.__table__.c
    led = {str(key) for (key,) in await snapshot.rows(sa.select(team.id).where(team.leader == leader))}
    people = {leader}
    if led:
        found = await snapshot.rows(
            sa.select(member.id, member.memberships).where(naming(member.memberships, *sorted(led)))
        )
        people |= {str(key) for key, stays in found if led & set(on_day(stays, day))}
    return people
