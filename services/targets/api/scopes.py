"""Whose something is: the organisation's, or that of a department, team, group or member; and who belongs to them."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

import sqlalchemy as sa
from pydantic import model_validator

from services.targets.domain.targets import LEVELS
from shared.facts import Fact
from shared.http.bodies import Body, Ref
from shared.known import KnownDepartment, KnownGroup, KnownMember, KnownTeam, known
from shared.membership import on_day
from shared.store import Snapshot, Tx
from shared.store.sql import naming

Level = Literal["organisation", "department", "team", "group", "member"]
assert get_args(Level) == LEVELS
_KNOWN: dict[str, type[Fact]] = {
    "department": KnownDepartment, "team": KnownTeam, "group": KnownGroup, "member": KnownMember,
}  # fmt: skip
_SPELLS = {"department": "departments", "team": "memberships", "group": "groups"}
_member, _team = KnownMember.__table__.c, KnownTeam.__table__.c  # type: ignore[attr-defined]
_LEADERS = sa.select(_team.leader).where(
    _team.leader.is_not(None), sa.or_(_team.id == sa.bindparam("ref"), _team.department == sa.bindparam("ref"))
)


class Scope(Body):
    """Whose it is; the organisation needs no reference."""

    level: Level
    ref: Ref | None = None

    @model_validator(mode="after")
    def _names_somebody(self) -> Scope:
        if (self.level == "organisation") != (self.ref is None):
            detail = "there is one organisation, it needs no ref" if self.ref else f"say in ref which {self.level}"
            raise ValueError(detail)
        return self


async def whose(tx: Tx, scope: Scope, at: str = "/scope") -> str | None:
    """The id of whoever a scope names; none for the organisation. Raises NotHeardOf with the place in the body."""
    if scope.ref is None:
        return None
    found: Fact = await known(tx, _KNOWN[scope.level], scope.ref, f"{at}/ref")
    return found.id


async def belonging_on(snapshot: Snapshot, level: str, ref: str, day: date) -> list[str]:
    """The members who belong to a department, team or group on a day, by id."""
    spells = _member[_SPELLS[level]]
    rows = await snapshot.rows(sa.select(_member.id, spells).where(naming(spells, ref)).order_by(_member.id))
    return [str(key) for key, stays in rows if ref in on_day(stays, day)]


async def whose_own(snapshot: Snapshot, level: str, ref: str, day: date) -> set[str]:
    """For whom something is that others must agree to: those who belong to it on a day, and who lead it. The
    organisation's is everybody's, and of that only who asked for it is kept out."""
    if level == "organisation":
        return set()
    if level == "member":
        return {ref}
    leaders = await snapshot.rows(_LEADERS, ref=ref) if level != "group" else []
    return {*await belonging_on(snapshot, level, ref, day), *(str(leader) for (leader,) in leaders)}
