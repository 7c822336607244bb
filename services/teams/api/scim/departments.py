"""Which department a tool means, and where somebody works of whom none is told."""

from __future__ import annotations

import sqlalchemy as sa

from services.teams.api.scim.language import Unfit
from services.teams.api.scim.models import SOURCE
from services.teams.api.scim.portraits import UNTOLD, known_as
from services.teams.domain.teams import Department
from shared.store import Tx


async def department_called(tx: Tx, name: str | None) -> str:
    """The id of the department with this name; nobody is put into one that is only guessed."""
    if name is None:
        return await _untold(tx)
    named = await tx.seek_unlocked(Department, f"ext:{SOURCE}:{name}") or await tx.seek_unlocked(Department, name)
    if named is not None:
        return named.id
    there = await tx.all(Department, sa.select(Department))
    alike = [each.id for each in there if name.casefold() in (each.name.casefold(), each.id)]
    if alike:
        return alike[0]
    known = ", ".join(sorted(filter(None, map(known_as, there))))
    advice = f"Add it by POST /v1/departments, or link the name to one of these with the source {SOURCE}."
    raise Unfit("invalidValue", f"There is no department {name!r}; there are: {known}. {advice}")


async def _untold(tx: Tx) -> str:
    """The department of those of whom none is told yet; it is there from the first of them on."""
    if await tx.seek_unlocked(Department, UNTOLD) is None:
        tx.save(*Department.open(id=UNTOLD, name="Not told yet"))
    return UNTOLD
