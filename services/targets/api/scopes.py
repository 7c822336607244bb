"""Whose something is: the organisation's, or that of a department, team, group or member."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import model_validator

from services.targets.domain.targets import LEVELS
from shared.facts import Fact
from shared.http.bodies import Body, Ref
from shared.known import KnownDepartment, KnownGroup, KnownMember, KnownTeam, known
from shared.store import Tx

Level = Literal["organisation", "department", "team", "group", "member"]
assert get_args(Level) == LEVELS
_KNOWN: dict[str, type[Fact]] = {
    "department": KnownDepartment, "team": KnownTeam, "group": KnownGroup, "member": KnownMember,
}  # fmt: skip


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
