"""Members: who works here, in which department and teams, from when to when; and the person behind, kept apart."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.teams import (
    MemberChanged,
    MemberDescribed,
    MemberErased,
    MemberJoined,
    MemberLeft,
    MemberMoved,
    MemberRecruited,
    PersonDescribed,
    PersonForgotten,
)  # fmt: skip
from shared.membership import begun, changed, covers, ended, latest_on, on_day, spell
from shared.store import Entity
from shared.store.types import Json


class MemberHasLeft(Refused):
    """This member left on {on} and cannot do that on {day}."""


class NotStartedYet(Refused):
    """This member starts on {starts_on}; {day} is before that."""

    status, at = 422, "/from"


class AlreadyInTeam(Refused):
    """This member has been in that team since {since}; leave or move first."""


class NotInTeam(Refused):
    """This member was not in that team on {day}."""


class AlreadyLeft(Refused):
    """This member already left on {on}."""


class LeavesBeforeStarting(Refused):
    """A member who starts on {starts_on} cannot leave on {on}."""

    status, at = 422, "/on"


class OwnManager(Refused):
    """Nobody is their own manager, not by way of others either."""

    status, at = 422, "/manager"


class MemberIsErased(Refused):
    """The personal data of this member was erased; it is not accepted again."""


class Member(Entity, table=True):
    """Somebody who works here. Everything personal is kept with the person."""

    kind: ClassVar[str] = "member"
    prefix: ClassVar[str] = "mbr"

    department: str = Field(index=True)
    job: str | None = None
    manager: str | None = None
    working_share: str = "1"
    starts_on: date
    left_on: date | None = None
    leaving_reason: str | None = None
    departments: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    memberships: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    groups: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    erased: bool = False

    @classmethod
    def recruit(cls, *, department: str, starts_on: date, **fields: Any) -> tuple[Self, MemberRecruited]:
        """Win somebody for a department."""
        departments = [spell(department, starts_on)]
        member = cls.make(department=department, starts_on=starts_on, departments=departments, **fields)
        return member, MemberRecruited(
            department=department,
            starts_on=starts_on,
            job=member.job,
            manager=member.manager,
            working_share=member.working_share,
        )

    def change(self, on: date, **fields: Any) -> MemberChanged | None:
        """Change department, job, manager or working share from a day on; the past stays."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_unless_employed(on)
        if "department" in new:
            self.departments = changed(self.departments, new["department"], on)
        for name, value in new.items():
            setattr(self, name, value)
        return MemberChanged(
            on=on, department=self.department, job=self.job, manager=self.manager, working_share=self.working_share
        )

    def join(self, team: str, on: date, group: str | None = None) -> MemberJoined | None:
        """Belong to a team, and perhaps a group in it, from a day on."""
        self._refuse_unless_employed(on)
        there = [each for each in self.memberships if each["of"] == team and covers(each, on)]
        if there and group is None:
            raise AlreadyInTeam(since=there[0]["from"])
        if group is not None and group in on_day(self.groups, on):
            raise AlreadyInTeam(since=next(each["from"] for each in self.groups if each["of"] == group))
        if not there:
            self.memberships = begun(self.memberships, team, on)
        if group is not None:
            self.groups = begun(self.groups, group, on)
        return MemberJoined(team=team, on=on, group=group)

    def move(self, from_team: str, to_team: str, on: date) -> MemberMoved:
        """Go from one team to another; past results stay with the old one."""
        self._refuse_unless_employed(on)
        if from_team not in on_day(self.memberships, on):
            raise NotInTeam(day=on)
        there = [each for each in self.memberships if each["of"] == to_team and covers(each, on)]
        if there:
            raise AlreadyInTeam(since=there[0]["from"])
        self.memberships = begun(ended(self.memberships, on, from_team), to_team, on)
        return MemberMoved(from_team=from_team, to_team=to_team, on=on)

    def leave(self, on: date, reason: str | None) -> MemberLeft:
        """Work here no more from a day on."""
        if self.left_on is not None:
            raise AlreadyLeft(on=self.left_on)
        if on < self.starts_on:
            raise LeavesBeforeStarting(starts_on=self.starts_on, on=on)
        self.left_on, self.leaving_reason = on, reason
        self.departments = ended(self.departments, on)
        self.memberships, self.groups = ended(self.memberships, on), ended(self.groups, on)
        return MemberLeft(on=on)

    def describe(self) -> MemberDescribed:
        """Note that something personal changed; what, stands with the person."""
        if self.erased:
            raise MemberIsErased
        return MemberDescribed()

    def erase(self) -> MemberErased | None:
        """Forget who this was, for ever."""
        if self.erased:
            return None
        self.erased, self.externals, self.leaving_reason = True, {}, None
        return MemberErased()

    def department_on(self, day: date) -> str | None:
        """The department of a day."""
        return latest_on(self.departments, day)

    def _refuse_unless_employed(self, day: date) -> None:
        if day < self.starts_on:
            raise NotStartedYet(starts_on=self.starts_on, day=day)
        if self.left_on is not None and day >= self.left_on:
            raise MemberHasLeft(on=self.left_on, day=day)


class Person(Entity, table=True):
    """The person behind a member: all that is personal, and nothing else."""

    kind: ClassVar[str] = "person"

    name: str
    email: str | None = None
    names: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """What other systems call them."""

    @classmethod
    def introduce(
        cls, member: str, name: str, email: str | None, names: dict[str, str]
    ) -> tuple[Self, PersonDescribed]:
        """Learn who a member is."""
        person = cls.make(id=member, name=name, email=email, names=names)
        return person, person._described()

    def describe(self, **fields: Any) -> PersonDescribed | None:
        """Learn something else about the person."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        for name, value in new.items():
            setattr(self, name, value)
        return self._described()

    def forget(self) -> PersonForgotten:
        """Keep nothing of the person."""
        self.name, self.email, self.names = "", None, {}
        return PersonForgotten()

    def _described(self) -> PersonDescribed:
        return PersonDescribed(name=self.name, email=self.email, externals=self.names)
