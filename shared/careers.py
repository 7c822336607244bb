"""What the events of a member say about them: when they worked here, in which department, teams and groups, how much
was expected of them, and when they were away.

Everybody who keeps facts of members folds them here, so that two services never differ about a day.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, TypeVar

from sqlmodel import Field

from shared.events.teams import (
    AbsenceCancelled,
    AbsenceNoted,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberLeftTeam,
    MemberMoved,
    MemberRecruited,
    MemberStays,
)  # fmt: skip
from shared.facts import Fact, Facts
from shared.membership import Spell, begun, changed, ended, held_on, latest_on
from shared.store.types import Json


class Career(Fact):
    """A member's dated truth; `starts_on` and `left_on` are of the last employment."""

    kind: ClassVar[str] = "member"

    starts_on: date | None = None
    left_on: date | None = None
    employments: list[Spell] = Field(default_factory=list, sa_type=Json)
    departments: list[Spell] = Field(default_factory=list, sa_type=Json)
    memberships: list[Spell] = Field(default_factory=list, sa_type=Json)
    groups: list[Spell] = Field(default_factory=list, sa_type=Json)
    ramps: list[Spell] = Field(default_factory=list, sa_type=Json)
    """The expected shares of a full quota, one for each month since an employment began."""

    def department_on(self, day: date) -> str | None:
        """The department of a day."""
        return latest_on(self.departments, day)

    def team_on(self, day: date) -> str | None:
        """The team of a day; the one joined last when there were several."""
        return latest_on(self.memberships, day)


class Away(Fact):
    """Days on which a member does not work, or works less; the beginning is unknown where it did not come about."""

    kind: ClassVar[str] = "absence"

    member: str = Field(default="", index=True)
    start: date | None = None
    end: date | None = None
    """The first day after it; none while that is not known."""
    share: str = "1"

    def covers(self, day: date) -> bool:
        """Whether a day is one of these."""
        return self.start is not None and self.start <= day and (self.end is None or day < self.end)


C = TypeVar("C", bound=Career)
A = TypeVar("A", bound=Away)


def careers(model: type[C], **more: Any) -> Facts[C]:
    """Facts of members that follow their careers."""
    members = Facts(model, **more)
    members.on(MemberRecruited)(recruit)
    members.on(MemberChanged)(change)
    members.on(MemberJoined)(_join)
    members.on(MemberMoved)(_move)
    members.on(MemberLeftTeam)(_leave_team)
    members.on(MemberLeft)(_leave)
    members.on(MemberStays)(_stay)
    return members


def absences(model: type[A]) -> Facts[A]:
    """Facts of absences."""
    found = Facts(model)
    found.on(AbsenceNoted)(_note)
    found.on(AbsenceCancelled)(_cancel)
    return found


def _note(away: Away, event: AbsenceNoted) -> None:
    away.member, away.start, away.end, away.share = event.member, event.on, event.until, event.share


def _cancel(away: Away, event: AbsenceCancelled) -> None:
    away.start = away.end = None


def recruit(member: Career, event: MemberRecruited) -> None:
    """An employment begins."""
    member.starts_on, member.left_on = event.starts_on, None
    member.employments = begun(member.employments, None, event.starts_on)
    member.departments = begun(member.departments, event.department, event.starts_on)
    member.ramps = begun(member.ramps, event.ramp, event.starts_on)


def change(member: Career, event: MemberChanged) -> None:
    """Another department or ramp from a day on."""
    member.departments = changed(member.departments, event.department, event.on, member.employments)
    member.ramps = changed(member.ramps, event.ramp, event.on, member.employments)


def _join(member: Career, event: MemberJoined) -> None:
    # Who joins a group of a team they are in already stays in the team as long as they were to.
    if event.group is None or held_on(member.memberships, event.on, event.team) is None:
        member.memberships = begun(member.memberships, event.team, event.on, event.until)
    if event.group is not None:
        member.groups = begun(member.groups, event.group, event.on, event.until, team=event.team)


def _move(member: Career, event: MemberMoved) -> None:
    stayed = ended(member.memberships, event.on, event.from_team, until=event.until)
    member.memberships = begun(stayed, event.to_team, event.on, event.until)
    member.groups = ended(member.groups, event.on, until=event.until, team=event.from_team)


def _leave_team(member: Career, event: MemberLeftTeam) -> None:
    if event.group is not None:
        member.groups = ended(member.groups, event.on, event.group, until=event.until)
    else:
        member.memberships = ended(member.memberships, event.on, event.team, until=event.until)
        member.groups = ended(member.groups, event.on, until=event.until, team=event.team)


def _leave(member: Career, event: MemberLeft) -> None:
    member.left_on = event.on
    member.employments, member.departments = ended(member.employments, event.on), ended(member.departments, event.on)
    member.ramps = ended(member.ramps, event.on)
    member.memberships, member.groups = ended(member.memberships, event.on), ended(member.groups, event.on)


def _stay(member: Career, event: MemberStays) -> None:
    member.left_on = None
    member.employments, member.departments, member.ramps = event.employments, event.departments, event.ramps
    member.memberships, member.groups = event.memberships, event.groups
