"""Departments, teams and the groups inside them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.events.teams import DepartmentOpened, GroupChanged, GroupFormed, TeamChanged, TeamFormed
from shared.store import Entity


class Department(Entity, table=True):
    """A department of the organisation."""

    kind: ClassVar[str] = "department"
    prefix: ClassVar[str] = "dept"

    name: str

    @classmethod
    def open(cls, *, name: str, **identity: Any) -> tuple[Self, DepartmentOpened]:
        """Add a department."""
        department = cls.make(name=name, **identity)
        return department, DepartmentOpened(name=name, externals=department.externals)


class Team(Entity, table=True):
    """People who sell, or work, together."""

    kind: ClassVar[str] = "team"

    name: str
    department: str = Field(default="sales", index=True)
    region: str | None = None
    leader: str | None = None

    @classmethod
    def form(cls, *, name: str, department: str, **fields: Any) -> tuple[Self, TeamFormed]:
        """Bring a team into being."""
        team = cls.make(name=name, department=department, **fields)
        return team, TeamFormed(
            name=name, department=department, region=team.region, leader=team.leader, externals=team.externals
        )

    def change(self, **fields: Any) -> TeamChanged | None:
        """Describe the team differently; only the fields given change."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        for name, value in new.items():
            setattr(self, name, value)
        return TeamChanged(name=self.name, department=self.department, region=self.region, leader=self.leader)


class Group(Entity, table=True):
    """A part of a team."""

    kind: ClassVar[str] = "group"
    prefix: ClassVar[str] = "grp"

    name: str
    team: str = Field(index=True)

    @classmethod
    def form(cls, *, name: str, team: str, **identity: Any) -> tuple[Self, GroupFormed]:
        """Bring a group into being."""
        group = cls.make(name=name, team=team, **identity)
        return group, GroupFormed(name=name, team=team, externals=group.externals)

    def change(self, *, name: str) -> GroupChanged | None:
        """Give the group another name."""
        if name == self.name:
            return None
        self.name = name
        return GroupChanged(name=name, team=self.team)
