"""Who may read what is about somebody: they themselves, who leads a team of theirs, and those whose work it is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from services.teams.api.organisation import today
from services.teams.domain.members import Member
from services.teams.domain.teams import Team
from shared import led
from shared.http.collection import Readable
from shared.identity.permissions import Principal
from shared.store import Snapshot


async def people_of(snapshot: Snapshot, reader: Principal) -> set[str]:
    """A member, and those who are today in a team that they lead."""
    if reader.member is None:
        return set()
    return await led.people_of(snapshot, reader.member, await today(snapshot), teams=Team, members=Member)


def about(*columns: sa.ColumnElement[Any], known_to: str) -> Readable:
    """What stands in a collection is for tools that may read it, for those with a scope, and for whom it is about."""

    async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
        if reader.member is None or reader.may(known_to):
            return None
        people = sorted(await people_of(snapshot, reader))
        return sa.or_(*(column.in_(people) for column in columns))

    return readable
