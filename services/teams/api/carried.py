"""What the members of a team carry, as targets says it: their revenue targets, open deals, and what these are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import httpx

from services.teams.api.split_team import TeamToSplit
from services.teams.domain.splitting import Load, main_mark
from shared.errors import Overloaded
from shared.http.runtime import Runtime
from shared.identity.permissions import Principal, forbidden
from shared.money import Money

AT_ONCE: Final = 100
"""Of how many members is asked at once."""
SCOPES: Final = ("deals:read", "targets:read")
"""What somebody must be allowed to see of members, to be told what their groups would carry."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What members carry; nothing is known where there is no portfolio."""

    portfolios: Mapping[str, Mapping[str, Any]] | None
    notes: list[str] = field(default_factory=list)

    def loads(self, team: TeamToSplit) -> list[Load]:
        """What everybody who was ever in the team carries."""
        return [
            Load(
                member, self._amounts(member, "targets"), self._amounts(member, "pipeline"),
                team.skills.get(member, {}), team.ramps.get(member, Fraction(1)),
            )
            for member in sorted(team.stays)
        ]  # fmt: skip

    def mark(self, member: str, by: str) -> str | None:
        """What most of their deals are about: a region, a product or a customer."""
        return main_mark(self._portfolio(member).get(by, {}))

    def sums(self, members: Sequence[str]) -> dict[str, Any]:
        """What some members carry together."""
        if self.portfolios is None:
            return {"targets": None, "pipeline": None, "deals_open": None}
        return {name: self._sum(members, name) for name in ("targets", "pipeline")} | {
            "deals_open": sum(self._portfolio(member).get("deals_open", 0) for member in members)
        }

    def _sum(self, members: Sequence[str], name: str) -> list[Money]:
        total: Counter[str] = Counter()
        for member in members:
            total.update(self._amounts(member, name))
        return [Money.of_minor(minor, currency) for currency, minor in sorted(total.items())]

    def _amounts(self, member: str, name: str) -> dict[str, int]:
        return {each["currency"]: Money(**each).minor for each in self._portfolio(member).get(name, ())}

    def _portfolio(self, member: str) -> Mapping[str, Any]:
        return (self.portfolios or {}).get(member, {})


async def carried(runtime: Runtime, principal: Principal, team: TeamToSplit, *, needed: bool) -> Carried:
    """Ask targets what the members of a team carry. Raises Forbidden for who may not see it, and Overloaded when it
    does not answer, where the split needs it."""
    missing = [scope for scope in SCOPES if not principal.may(scope)]
    if missing and needed:
        raise forbidden(missing[0])
    if missing:
        return Carried(None, [f"targets and deals are shown to who may see them: {', '.join(missing)}"])
    members = sorted(team.stays)
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for start in range(0, len(members), AT_ONCE):
            query = {"member": members[start : start + AT_ONCE], "from": team.on, "to": team.until}
            answer = await runtime.extras["neighbours"].get("targets", "/v1/portfolios", **query)
            answer.raise_for_status()
            found |= {each["member"]: each for each in answer.json()["items"]}
    except httpx.HTTPError as silent:
        if needed:
            raise Overloaded("What the members carry is not known: targets does not answer; ask again.") from silent
        return Carried(None, ["targets does not answer: what the groups carry of targets and deals is not known"])
    return Carried(found)
