"""Members: who works here, as what, in which department and teams, from when to when. Who it is, the person says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar, Final, Self

from sqlmodel import Field

from services.teams.domain.stays import (
    AlreadyInGroup,
    AlreadyInTeam,
    EndsBeforeItBegins,
    MemberHasLeft,
    NotInGroup,
    NotInTeam,
    NotStartedYet,
    until,
)  # fmt: skip
from shared.errors import Refused
from shared.events.teams import (
    MemberChanged,
    MemberDescribed,
    MemberErased,
    MemberJoined,
    MemberLeft,
    MemberLeftTeam,
    MemberMoved,
    MemberRecruited,
    MemberStays,
)  # fmt: skip
from shared.membership import Spell, begun, changed, end_of, ended, held_on, kept_within, nearest, overlaps, uncut
from shared.store import Entity
from shared.store.types import Json

DATED: Final = {"department": "departments", "job": "jobs", "manager": "managers", "working_share": "working_shares",
                "ramp": "ramps", "workplace": "workplaces"}  # fmt: skip
"""What is known of a member as of a day, and where the spells of it are kept."""


SPELLS: Final = ("employments", "memberships", "groups", *DATED.values())
TOLD: Final = ("employments", "departments", "memberships", "groups", "ramps")


class AlreadyLeft(Refused):
    """This member already left on {on}."""


class StillHere(Refused):
    """This member works here since {since} and has not left; only who has left is recruited again."""


class RecruitedBeforeLeaving(Refused):
    """This member left on {left}; a new employment begins on that day at the earliest, not on {starts_on}."""

    at = "/starts_on"


class LeavesTooEarly(Refused):
    """This member starts on {starts_on}; the first day of being gone is {earliest} at the earliest, not {on}."""

    status, at = 422, "/on"


class NotLeaving(Refused):
    """This member is not leaving; there is nothing to take back."""


class LeftAlready(Refused):
    """This member left on {left}; only a departure that is still to come on {today} is taken back."""


class OwnManager(Refused):
    """Nobody is their own manager, not by way of others either; {manager} would be on {day}."""

    status, at = 422, "/manager"


class MemberIsErased(Refused):
    """The personal data of this member was erased; it is not accepted again."""


class Member(Entity, table=True):
    """Somebody who works here. Everything personal is kept with the person."""

    kind: ClassVar[str] = "member"
    prefix: ClassVar[str] = "mbr"
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"employments", "memberships", "groups", "before_leaving", *DATED.values()}
    )

    starts_on: date
    left_on: date | None = None
    erased: bool = False
    employments: list[Spell] = Field(default_factory=list, sa_type=Json)
    """When they worked here; one that ended may have a `reason` in words and a `why`, which nobody else is told."""
    departments: list[Spell] = Field(default_factory=list, sa_type=Json)
    jobs: list[Spell] = Field(default_factory=list, sa_type=Json)
    managers: list[Spell] = Field(default_factory=list, sa_type=Json)
    working_shares: list[Spell] = Field(default_factory=list, sa_type=Json)
    ramps: list[Spell] = Field(default_factory=list, sa_type=Json)
    """The share of a full quota that is expected in each whole month since the employment began."""
    workplaces: list[Spell] = Field(default_factory=list, sa_type=Json)
    """`office`, `remote` or `hybrid`; nothing where it was not said, or is not held."""
    memberships: list[Spell] = Field(default_factory=list, sa_type=Json)
    groups: list[Spell] = Field(default_factory=list, sa_type=Json)
    """Each with its `team`: who is in a group is in the team of the group."""

    before_leaving: dict[str, list[Spell]] = Field(default_factory=dict, sa_type=Json)
    """What a departure cut off, so that it can be taken back while it is still to come."""

    @classmethod
    def recruit(
        cls,
        *,
        department: str,
        starts_on: date,
        job: str | None = None,
        manager: str | None = None,
        working_share: str = "1",
        ramp: Sequence[str] = (),
        workplace: str | None = None,
        **identity: Any,
    ) -> tuple[Self, MemberRecruited]:
        """Win somebody for a department."""
        member = cls.make(starts_on=starts_on, **identity)
        position = {"department": department, "job": job, "manager": manager, "working_share": working_share,
                    "ramp": list(ramp), "workplace": workplace}  # fmt: skip
        return member, member._begin(starts_on, position)

    def recruit_again(self, starts_on: date, **fields: Any) -> MemberRecruited:
        """Win back somebody who has left; what is not said is as it was before."""
        if self.erased:
            raise MemberIsErased
        if self.left_on is None:
            raise StillHere(since=self.starts_on)
        if starts_on < self.left_on:
            raise RecruitedBeforeLeaving(left=self.left_on, starts_on=starts_on)
        return self._begin(starts_on, self.position(starts_on) | fields)

    def change(self, on: date, **fields: Any) -> MemberChanged | None:
        """Change department, job, manager, working share, ramp or workplace from a day on; the past stays."""
        position = self.position(on)
        new = {name: value for name, value in fields.items() if position[name] != value}
        if not new:
            return None
        self.employment(on, "/on")
        for name, value in new.items():
            # Of who was recruited before something was asked of members, nothing is known of it all the time.
            spells = getattr(self, DATED[name]) or [{**each, "of": None} for each in map(_plain, self.employments)]
            setattr(self, DATED[name], changed(spells, value, on, self.employments))
        return MemberChanged(on=on, **self.position(on))

    def join(self, team: str, on: date, group: str | None = None, end: date | None = None) -> MemberJoined:
        """Belong to a team, and perhaps a group in it, from a day on; until another, or as long as they work here."""
        within = held_on(self.memberships, on, team) if group is not None else None
        employment_end = end_of(self.employment(on, "/from"))
        last = end_of(within) if within else employment_end
        if end is not None and end <= on:
            raise EndsBeforeItBegins(on=on, end=end)
        if end is not None and last is not None and end > last:
            if within and last != employment_end:
                raise NotInTeam(day=last, pointer="/to")
            raise MemberHasLeft(left=last, day=end, pointer="/to")
        end = end or last
        if group is not None:
            _refuse_if_there(AlreadyInGroup, self.groups, group, on, end)
        if within is None:
            _refuse_if_there(AlreadyInTeam, self.memberships, team, on, end)
            self.memberships = begun(self.memberships, team, on, end)
        if group is not None:
            self.groups = begun(self.groups, group, on, end, team=team)
        return MemberJoined(team=team, on=on, group=group, until=end)

    def move(self, from_team: str, to_team: str, on: date) -> MemberMoved:
        """Go from one team to another; past results stay with the old one."""
        self.employment(on, "/on")
        end = self._stay(from_team, on)
        _refuse_if_there(AlreadyInTeam, self.memberships, to_team, on, end)
        self.memberships = begun(ended(self.memberships, on, from_team, until=end), to_team, on, end)
        self.groups = ended(self.groups, on, until=end, team=from_team)
        return MemberMoved(from_team=from_team, to_team=to_team, on=on, until=end)

    def leave_team(self, team: str, on: date, group: str | None = None) -> MemberLeftTeam:
        """Belong to a team, or only to a group in it, no more from a day on."""
        if group is not None:
            stay = held_on(self.groups, on, group)
            if stay is None:
                raise NotInGroup(day=on)
            end = end_of(stay)
            self.groups = ended(self.groups, on, group, until=end)
        else:
            end = self._stay(team, on)
            self.memberships = ended(self.memberships, on, team, until=end)
            self.groups = ended(self.groups, on, until=end, team=team)
        return MemberLeftTeam(team=team, on=on, group=group, until=end)

    def leave(self, on: date, reason: str | None = None, why: str | None = None) -> MemberLeft:
        """Work here no more from a day on; that ends all memberships."""
        if self.left_on is not None:
            raise AlreadyLeft(on=self.left_on)
        if on <= self.starts_on:
            raise LeavesTooEarly(starts_on=self.starts_on, earliest=self.starts_on + timedelta(days=1), on=on)
        if (reason or why) and self.erased:
            raise MemberIsErased(pointer="/reason" if reason else "/why")
        self.before_leaving = {name: getattr(self, name) for name in SPELLS}
        for name in SPELLS:
            setattr(self, name, ended(getattr(self, name), on))
        self.left_on = on
        said = {name: value for name, value in (("reason", reason), ("why", why)) if value}
        if said:
            self.employments = [*self.employments[:-1], {**self.employments[-1], **said}]
        return MemberLeft(on=on)

    def stay(self, today: date) -> MemberStays:
        """Not leave after all: what the departure cut off goes on as it was to, what was said since then stays."""
        left = self.left_on
        if left is None:
            raise NotLeaving
        if left <= today:
            raise LeftAlready(left=left, today=today)
        for name in SPELLS:
            before, together = self.before_leaving.get(name, []), name in ("memberships", "groups")
            setattr(self, name, uncut(getattr(self, name), before, left, together=together))
        self.groups = kept_within(self.groups, self.memberships, "team")
        self.left_on, self.before_leaving = None, {}
        told = {name: [_plain(each) for each in getattr(self, name)] for name in TOLD}
        return MemberStays(on=left, **told)

    def describe(self) -> MemberDescribed:
        """Note that something personal changed; what, stands with the person."""
        if self.erased:
            raise MemberIsErased
        return MemberDescribed()

    def erase(self) -> MemberErased | None:
        """Forget who this was, for ever."""
        if self.erased:
            return None
        self.erased, self.externals = True, {}
        self.employments = [
            {name: None if name in ("reason", "why") else value for name, value in each.items()}
            for each in self.employments
        ]
        return MemberErased()

    def position(self, day: date) -> dict[str, Any]:
        """Department, job, manager, working share, ramp as of a day; before the first and after the last, as there."""
        spells = {name: nearest(getattr(self, field), day) for name, field in DATED.items()}
        return {name: each["of"] if each else None for name, each in spells.items()}

    def employment(self, day: date, pointer: str) -> Spell:
        """The employment of a day that somebody has sent at this place."""
        found = held_on(self.employments, day)
        if found is not None:
            return found
        ends = [each["to"] for each in self.employments if each["to"] and each["to"] <= day.isoformat()]
        if ends:
            raise MemberHasLeft(left=ends[-1], day=day, pointer=pointer)
        raise NotStartedYet(starts_on=self.employments[0]["from"], day=day, pointer=pointer)

    def _begin(self, starts_on: date, position: dict[str, Any]) -> MemberRecruited:
        self.employments = begun(self.employments, None, starts_on)
        for name, value in position.items():
            setattr(self, DATED[name], begun(getattr(self, DATED[name]), value, starts_on))
        self.starts_on, self.left_on = starts_on, None
        return MemberRecruited(starts_on=starts_on, **position)

    def _stay(self, team: str, day: date) -> date | None:
        """When the stay in a team that holds on a day ends."""
        stay = held_on(self.memberships, day, team)
        if stay is None:
            raise NotInTeam(day=day, pointer="/on")
        return end_of(stay)


def _refuse_if_there(
    rule: type[AlreadyInTeam] | type[AlreadyInGroup], spells: list[Spell], of: str, start: date, end: date | None
) -> None:
    for each in spells:
        if each["of"] == of and overlaps(each, start, end):
            raise rule(since=each["from"], until=until(each))


def _plain(each: Spell) -> Spell:
    """A spell without what is said of it."""
    return {name: value for name, value in each.items() if name not in ("reason", "why")}
