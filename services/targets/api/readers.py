"""What is aimed at by one member is for them, for who leads a team of theirs, and for who set it or approved it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from shared.errors import NotFound
from shared.http.collection import Readable
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.instant import now
from shared.known import KnownMember, KnownTeam, local_day
from shared.led import people_of
from shared.store import Snapshot


async def people(snapshot: Snapshot, reader: Principal | None) -> set[str] | None:
    """The members whose aims are for a reader; none for a tool, which may read all that its scopes allow."""
    if reader is None or reader.member is None or reader.may(ADMIN):
        return None
    day = await local_day(snapshot, now())
    return await people_of(snapshot, reader.member, day, teams=KnownTeam, members=KnownMember)


def of_members(columns: Any) -> Readable:
    """What has a level and whose it is: of members only those are for a reader whose affairs they may read."""

    async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
        theirs = await people(snapshot, reader)
        if theirs is None:
            return None
        own = [columns[name] == reader.member for name in ("set_by", "approved_by") if name in columns]
        return sa.or_(columns.level != "member", columns.ref.in_(sorted(theirs)), *own)

    return readable


async def refuse_unless_theirs(snapshot: Snapshot, level: str, ref: str, reader: Principal) -> None:
    """What is about a member who is not for this reader is as if it were not there. Raises NotFound."""
    theirs = await people(snapshot, reader)
    if level == "member" and theirs is not None and ref not in theirs:
        raise NotFound(f"There is no member {ref}.")
