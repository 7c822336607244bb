"""Teams and departments: which series and meetings are theirs, and who is invited by belonging to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.meetings.domain.meetings import Meeting
from services.meetings.domain.series import Series
from shared.known import KnownMember
from shared.membership import on_day
from shared.store import Snapshot
from shared.store.sql import naming

_member = KnownMember.__table__.c  # type: ignore[attr-defined]


class Places:
    """Teams and departments."""

    def __init__(self, teams: Iterable[str], departments: Iterable[str]) -> None:
        self.teams, self.departments = set(teams), set(departments)

    @classmethod
    def of(cls, member: KnownMember, day: date) -> Places:
        """Those that a member belongs to on a day."""
        return cls(on_day(member.memberships, day), on_day(member.departments, day))

    def meet(self, thing: Any) -> bool:
        """Whether one of them meets there."""
        return bool(self.teams & set(thing.teams) or self.departments & set(thing.departments))

    def mentioned(self, columns: Any) -> sa.ColumnElement[bool]:
        """Rows that may be of these places; which are, is judged one by one."""
        return sa.or_(
            naming(columns.teams, *sorted(self.teams)), naming(columns.departments, *sorted(self.departments))
        )

    async def ever(self, snapshot: Snapshot) -> list[KnownMember]:
        """The members who have ever belonged to one of them, or will."""
        mentions = sa.or_(
            naming(_member.memberships, *sorted(self.teams)), naming(_member.departments, *sorted(self.departments))
        )
        return await snapshot.all(KnownMember, sa.select(KnownMember).where(mentions))


async def invited_to(snapshot: Snapshot, thing: Meeting | Series, day: date) -> set[str]:
    """The members who belong on a day to one of the teams or departments that meet."""
    found = await Places(thing.teams, thing.departments).ever(snapshot)
    return {each.id for each in found if Places.of(each, day).meet(thing)}
