"""For whom of those who are asked about something counts: by the team it was done for, or by the member who did it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final

import sqlalchemy as sa

from services.targets.api.achieved.asked import Asked, Scope
from services.targets.domain.deals import Deal
from shared.known import KnownMember, KnownTeam
from shared.membership import Spell, on_day
from shared.store import Snapshot

_deal = Deal.__table__.c  # type: ignore[attr-defined]
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
_DEPARTMENTS = sa.select(_team.id, _team.department)
_GROUPS = sa.select(_member.id, _member.groups).where(_member.groups != [])
FEW: Final = 8
"""The credits of so many members are looked for by name; of more, those of all deals are read."""


class Whose:
    """Those who are asked about, and whom they consist of."""

    def __init__(
        self, scopes: Collection[Scope], departments: Mapping[str, str], groups: Mapping[str, Sequence[Spell]]
    ) -> None:
        self._scopes = frozenset(scopes)
        self._departments = departments
        self._groups = groups
        self._of_team: dict[str | None, list[Scope]] = {}
        self._members = sorted(ref for level, ref in scopes if level == "member")
        levels = {level for level, _ in scopes}
        self._of_groups = "group" in levels
        self.by_team = bool(levels - {"member", "group"})
        """Whether anybody is asked about for whom it is the team that counts."""
        self.by_member = bool(levels & {"member", "group"})
        """Whether anybody is for whom it is the member."""
        self.split = bool(levels & {"team", "department"})
        """Whether it matters for which team something was done."""

    def of_team(self, team: str | None) -> list[Scope]:
        """For whom counts what was done for a team."""
        found = self._of_team.get(team)
        if found is None:
            places = [("organisation", ""), ("department", self._departments.get(team or "", "")), ("team", team or "")]
            found = self._of_team[team] = [each for each in places if each in self._scopes]
        return found

    def of_member(self, member: str, day: date) -> list[Scope]:
        """For whom counts what a member did on a day."""
        spells = self._groups.get(member)
        places = [("member", member), *(("group", each) for each in (on_day(spells, day) if spells else ()))]
        return [each for each in places if each in self._scopes]

    def of(self, team: str | None, member: str | None, day: date) -> list[Scope]:
        """For whom counts what a member did for a team on a day."""
        return [*self.of_team(team), *(self.of_member(member, day) if member is not None and self.by_member else ())]

    @property
    def of_teams(self) -> list[sa.ColumnElement[bool]]:
        """The condition of deals that count for a team, a department or the organisation that is asked about."""
        if ("organisation", "") in self._scopes:
            return []
        teams = {ref for level, ref in self._scopes if level == "team"}
        teams |= {team for team, department in self._departments.items() if ("department", department) in self._scopes}
        return [_deal.team.in_(sorted(teams)) if teams else sa.false()]

    def owned(self) -> list[sa.ColumnElement[bool]]:
        """The condition of deals whose owner or team is asked about."""
        return self._either([_deal.owner == member for member in self._members])

    def credited(self) -> list[sa.ColumnElement[bool]]:
        """The condition of deals that somebody who is asked about is credited for, or was before an amendment."""
        # Ids hold no character that means something to LIKE but the underscore, and the credits are looked at anyway.
        texts = [sa.type_coerce(column, sa.Text) for column in (_deal.credits, _deal.amendments)]
        return self._either([sa.or_(*(text.like(f'%"{member}"%') for text in texts)) for member in self._members])

    def _either(self, of_members: Sequence[sa.ColumnElement[bool]]) -> list[sa.ColumnElement[bool]]:
        of_teams = self.of_teams if self.by_team else []
        if (self.by_team and not of_teams) or self._of_groups or len(of_members) > FEW:
            return []
        return [sa.or_(*of_teams, *of_members)]


async def whose_of(snapshot: Snapshot, asked: Sequence[Asked]) -> Whose:
    """Those whom some targets are for, with the teams of departments and the members of groups among them."""
    scopes = {each.scope for each in asked}
    levels = {level for level, _ in scopes}
    departments = await snapshot.rows(_DEPARTMENTS) if "department" in levels else []
    groups = await snapshot.rows(_GROUPS) if "group" in levels else []
    return Whose(scopes, {team: of for team, of in departments}, {member: spells for member, spells in groups})
