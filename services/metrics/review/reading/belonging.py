"""Who is reviewed: the members of a team in a period, when they were there, and everybody they had to do with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from services.metrics.facts.teams import AbsenceFact, MemberFact, TeamFact
from services.metrics.review.inputs import Member, Spell
from shared.membership import Spell as Held
from shared.period import Period
from shared.store import Snapshot
from shared.store.sql import OneOf, naming

_member = MemberFact.__table__.c  # type: ignore[attr-defined]
_away = AbsenceFact.__table__.c  # type: ignore[attr-defined]
_NAMED = sa.select(MemberFact).where(OneOf(_member.id, "ids"))
_ABSENT = sa.select(AbsenceFact).where(
    OneOf(_away.member, "ids"),
    _away.start < sa.bindparam("end", type_=sa.Date()),
    sa.or_(_away.end.is_(None), _away.end > sa.bindparam("start", type_=sa.Date())),
)


@dataclass(frozen=True, slots=True)
class Belonging:
    """The facts of a team and of its members."""

    team: TeamFact
    careers: Sequence[MemberFact]
    absences: Sequence[AbsenceFact]
    period: Period

    @property
    def ids(self) -> list[str]:
        """The members' ids, sorted."""
        return sorted(each.id for each in self.careers)

    def away(self, member: str) -> tuple[AbsenceFact, ...]:
        """A member's absences."""
        return tuple(each for each in self.absences if each.member == member)

    def members(self) -> tuple[Member, ...]:
        """The members with the days on which they were there; of an absence only a whole one takes a day away."""
        return tuple(self._member(each) for each in self.careers)

    def on(self, day: date) -> set[str]:
        """Who was in the team on a day."""
        return {each.id for each in self.careers if each.team_on(day) == self.team.id}

    def leavers(self) -> tuple[str, ...]:
        """Members who left the organisation in the period."""
        start, end = self.period.start, self.period.end
        return tuple(sorted(each.id for each in self.careers if each.left_on and start <= each.left_on < end))

    def _member(self, career: MemberFact) -> Member:
        whole = [each for each in self.away(career.id) if each.start is not None and each.share == "1"]
        return Member(
            id=career.id, department=department_in(career, self.period), starts_on=career.starts_on,
            spells=tuple(_spell(each) for each in _within(career, self.team.id, self.period)),
            away=tuple((each.start, each.end) for each in whole if each.start is not None),
        )  # fmt: skip


async def belonging_of(snapshot: Snapshot, team: TeamFact, period: Period) -> Belonging:
    """Who was in a team on a day of a period."""
    mention = naming(_member.memberships, team.id)
    careers = await snapshot.all(MemberFact, sa.select(MemberFact).where(mention).order_by(_member.id))
    there = [each for each in careers if _within(each, team.id, period)]
    ids = [each.id for each in there]
    absences = await snapshot.all(AbsenceFact, _ABSENT, ids=ids, start=period.start, end=period.end)
    return Belonging(team, there, sorted(absences, key=lambda each: each.id), period)


async def partners_of(snapshot: Snapshot, ids: Iterable[str], period: Period) -> tuple[Member, ...]:
    """Others, with their departments."""
    found = await snapshot.all(MemberFact, _NAMED, ids=sorted(ids))
    return tuple(Member(id=each.id, department=department_in(each, period)) for each in found)


def _within(career: MemberFact, team: str, period: Period) -> list[Held]:
    start, end = period.start.isoformat(), period.end.isoformat()
    return [
        each for each in career.memberships
        if each["of"] == team and each["from"] < end and (each["to"] is None or each["to"] > start)
    ]  # fmt: skip


def _spell(each: Held) -> Spell:
    return date.fromisoformat(each["from"]), date.fromisoformat(each["to"]) if each["to"] else None


def department_in(career: MemberFact, period: Period) -> str:
    """Somebody's department at the end of a period; where they have left by then, at its beginning."""
    last = date.fromordinal(period.end.toordinal() - 1)
    return career.department_on(last) or career.department_on(period.start) or ""
