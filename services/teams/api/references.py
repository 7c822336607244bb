"""What bodies refer to: the department, team, group or member that is meant, or the place in the body that is wrong."""

from __future__ import annotations

from typing import Any

from services.teams.domain.members import Member
from services.teams.domain.teams import Group, Team
from shared.errors import Invalid
from shared.store import Tx


async def place(tx: Tx, team: str | None, group: str | None) -> tuple[str, str | None]:
    """The team and the group that a body names; a group stands for its team."""
    if group is None:
        return str((await sought(tx, Team, team or "", "/team")).id), None
    found = await sought(tx, Group, group, "/group")
    if team is not None and (await sought(tx, Team, team, "/team")).id != found.team:
        detail = f"the group {found.id} is a part of the team {found.team}, not of {team}"
        raise Invalid.at("/group", detail)
    return str(found.team), str(found.id)


async def member_id(tx: Tx, ref: str, at: str) -> str:
    """The id of a member a body refers to; raises Invalid."""
    return str((await sought(tx, Member, ref, at)).id)


async def sought(tx: Tx, model: Any, ref: str, at: str) -> Any:
    """What a body refers to; raises Invalid with the place in the body."""
    found = await tx.seek_unlocked(model, ref)
    if found is None:
        detail = f"there is no {model.kind} {ref}"
        raise Invalid.at(at, detail)
    return found
