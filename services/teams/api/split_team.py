"""A team as it is to be split: who is in it on the day, who came and went, and the groups that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa

from services.teams.api.organisation import today
from services.teams.domain.learning import Ability
from services.teams.domain.members import Member
from services.teams.domain.organisation import THE_ONE, Organisation
from services.teams.domain.teams import Group, Team
from shared.asked_period import AskedPeriod
from shared.errors import Invalid
from shared.membership import Spell, covers
from shared.opportunity import ramp_on
from shared.period import Period
from shared.store import Snapshot
from shared.store.sql import naming

_member = Member.__table__.c  # type: ignore[attr-defined]
_group = Group.__table__.c  # type: ignore[attr-defined]
_GROUPS = sa.select(Group).where(_group.team == sa.bindparam("team"))


@dataclass(frozen=True, slots=True)
class TeamToSplit:
    """A team on the day of a split."""

    id: str
    name: str
    leader: str | None
    on: date
    until: date
    """The end of the period whose targets are looked at."""
    members: Sequence[str]
    stays: Mapping[str, Sequence[Spell]]
    """Of everybody who was ever in the team: when."""
    in_groups: Mapping[str, Sequence[str]]
    """The groups of the team that each member is in on the day."""
    groups: Mapping[str, Group]
    """By our id, and by what other systems call them."""
    ramps: Mapping[str, Fraction]
    skills: Mapping[str, Mapping[str, int]]
    names: Mapping[str, str]
    """By the names that other systems have for them, the ids of its members."""

    def said(self, lists: Sequence[Sequence[str]]) -> list[list[str]]:
        """The members that a body names, by our ids. Raises Invalid for who is not in the team that day."""
        found = []
        for place, refs in enumerate(lists):
            found.append([self.names.get(ref, ref) for ref in refs])
            for at, member in enumerate(found[-1]):
                if member not in self.members:
                    detail = f"{refs[at]} is not in this team on {self.on}"
                    raise Invalid.at(f"/groups/{place}/members/{at}", detail)
        return found

    def held(self, groups: Sequence[Any]) -> dict[str, int]:
        """The place of the group that each member is in already, of those the team is split into."""
        places = {each.group: place for place, each in enumerate(groups) if each.group is not None}
        return {member: places[group] for member in self.members for group in self.in_groups[member] if group in places}

    def history(self, held: Mapping[str, int]) -> list[tuple[str, bool]]:
        """Who came and who went up to the day, oldest first; where some are held, only who is still to be placed."""
        moves = [
            (day, comes, member)
            for member, stays in self.stays.items()
            for each in stays
            for day, comes in ((each["from"], True), (each["to"], False))
            if day is not None and day <= self.on.isoformat()
        ]
        return [
            (member, comes)
            for _, comes, member in sorted(moves)
            if not held or (comes and member in self.members and member not in held)
        ]


async def team_to_split(snapshot: Snapshot, ref: str, on: date | None, asked: AskedPeriod | None) -> TeamToSplit:
    """The team a reference names, on a day. Raises NotFound, Invalid."""
    team = await snapshot.get(Team, ref)
    day = on or await today(snapshot)
    first_month = (await snapshot.get(Organisation, THE_ONE)).first_month
    period = asked.resolve(first_month) if asked is not None else Period.of("quarter", day, first_month)
    if period.end <= day:
        raise Invalid.at("/period", f"{period} ends before the day of the split, {day}")
    like = naming(_member.memberships, team.id)
    found = await snapshot.all(Member, sa.select(Member).where(like).order_by(_member.id))
    stays = {each.id: [stay for stay in each.memberships if stay["of"] == team.id] for each in found}
    there = [each for each in found if any(covers(stay, day) for stay in stays[each.id])]
    if not there:
        raise Invalid.at("/on", f"nobody is in the team {team.id} on {day}")
    groups = await snapshot.all(Group, _GROUPS, team=team.id)
    return TeamToSplit(
        id=team.id, name=team.name, leader=team.leader, on=day, until=period.end,
        members=[each.id for each in there], stays=stays,
        in_groups={
            each.id: [stay["of"] for stay in each.groups if stay["team"] == team.id and covers(stay, day)]
            for each in there
        },
        groups={name: each for each in groups for name in (each.id, *_names(each.externals))},
        ramps={each.id: ramp_on(each, day) for each in found}, skills=await _skills(snapshot, day),
        names={name: each.id for each in there for name in _names(each.externals)},
    )  # fmt: skip


def _names(externals: Mapping[str, str]) -> list[str]:
    return [f"ext:{source}:{name}" for source, name in externals.items()]


async def _skills(snapshot: Snapshot, day: date) -> dict[str, dict[str, int]]:
    levels: dict[str, dict[str, int]] = {}
    for each in await snapshot.all(Ability, sa.select(Ability)):
        levels.setdefault(each.member, {})[each.skill] = each.on(day) or 0
    return levels
