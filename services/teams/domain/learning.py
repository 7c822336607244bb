"""Learning: skills with levels, the jobs that need them, and the courses that teach them."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Final, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.trainings import (
    CourseChanged,
    CourseOffered,
    LevelNeeded,
    SessionCancelled,
    SessionPlanned,
    SkillAssessed,
    SkillChanged,
    SkillNamed,
)  # fmt: skip
from shared.membership import Spell, end_of, held_on, observed, spell
from shared.money import Money
from shared.store import Entity
from shared.store.types import Json, MoneyText

HIGHEST: Final = 5
"""The highest level of a skill; 0 is not at all."""


class LevelOfNothing(Refused):
    """A course that teaches up to a level says which skill; this one names level {level} and no skill."""

    status, at = 422, "/level"


class SessionEndsBeforeItBegins(Refused):
    """A session that begins on {on} cannot end on {end}; the day in to is the first one after it."""

    status, at = 422, "/to"


class NoSuchSession(Refused):
    """This course has no session {session}; it has {known}."""

    status, at = 422, "/session"


class SessionIsCancelled(Refused):
    """The session of {on} was cancelled."""

    at = "/session"


class SessionIsFull(Refused):
    """The session of {on} has {seats} seats, and all are taken."""

    at = "/session"


class Skill(Entity, table=True):
    """Something members can do, and the level of it that jobs need."""

    kind: ClassVar[str] = "skill"
    hidden: ClassVar[frozenset[str]] = frozenset({"needed", "needs"})

    name: str
    needed: dict[str, int] = Field(default_factory=dict, sa_type=Json)
    """By job, the level from 1 to 5 that it needs by the last word: what was kept before that had a day."""
    needs: dict[str, list[Spell]] = Field(default_factory=dict, sa_type=Json)
    """By job, the levels that it needs, from which day on; 0 is none."""

    @classmethod
    def found(cls, *, name: str, **identity: Any) -> tuple[Self, SkillNamed]:
        """Give something that members can do a name."""
        skill = cls.make(name=name, **identity)
        return skill, SkillNamed(name=name, externals=skill.externals)

    def rename(self, name: str) -> SkillChanged | None:
        """Call it otherwise."""
        if name == self.name:
            return None
        self.name = name
        return self._told()

    def need(self, job: str, level: int, on: date) -> SkillChanged | None:
        """Say which level a job needs from a day on; level 0 is none, and what was said for later days stays."""
        if level == (self.needed_on(job, on) or 0):
            return None
        levels = self.levels
        self.needs = dict(sorted((levels | {job: observed(levels.get(job, []), level, on)}).items()))
        self.needed = _last(self.needs)
        return self._told()

    @property
    def levels(self) -> dict[str, list[Spell]]:
        """By job, the levels that it needs; what was said without a day has always been so."""
        if _last(self.needs) == self.needed:
            return self.needs
        return {job: [spell(level, date.min)] for job, level in self.needed.items()}

    def needed_on(self, job: str | None, day: date) -> int | None:
        """The level that a job needed on a day; none if it needed none."""
        held = held_on(self.levels.get(job or "", []), day)
        return int(held["of"]) or None if held else None

    def as_on(self, day: date) -> dict[str, Any]:
        """Which jobs needed it on a day, and at which level."""
        levels = {job: self.needed_on(job, day) for job in self.levels}
        return {"needed": {job: level for job, level in levels.items() if level}}

    def _told(self) -> SkillChanged:
        needs = {
            job: tuple(LevelNeeded(level=int(each["of"]), on=date.fromisoformat(each["from"]), until=end_of(each))
                       for each in spells)
            for job, spells in self.levels.items()
        }  # fmt: skip
        return SkillChanged(name=self.name, needed=self.needed, needs=needs)


def _last(needs: dict[str, list[Spell]]) -> dict[str, int]:
    """The level that each job needs by the last word."""
    return {job: int(spells[-1]["of"]) for job, spells in needs.items() if spells[-1]["of"]}


class Ability(Entity, table=True):
    """What level a member has of a skill, from when to when."""

    __table_args__ = (sa.Index("ability_member", "member"), sa.Index("ability_skill", "skill"))
    kind: ClassVar[str] = "ability"
    prefix: ClassVar[str] = "abl"

    member: str
    skill: str
    levels: list[Spell] = Field(default_factory=list, sa_type=Json)

    def assess(self, level: int, on: date) -> SkillAssessed | None:
        """Find that a member has this level from a day on; what was found for later days stays."""
        if self.on(on) == level:
            return None
        self.levels = observed(self.levels, level, on)
        return SkillAssessed(member=self.member, skill=self.skill, level=level, on=on)

    def on(self, day: date) -> int | None:
        """The level of a day; none while nobody has looked."""
        held = held_on(self.levels, day)
        return int(held["of"]) if held else None


class Course(Entity, table=True):
    """Something members can be trained in: what it teaches, what it costs, when it is held."""

    __tablename__ = "training_course"
    kind: ClassVar[str] = "course"

    name: str
    skill: str | None = Field(default=None, index=True)
    level: int | None = None
    cost: Money | None = Field(default=None, sa_type=MoneyText)
    """For each member who takes it."""
    trains: str | None = None
    """Teamwork, selling or the product: what a review may find to be missing."""
    sessions: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """When it is held: `{"session", "on", "to", "seats", "cancelled"}`, in order."""

    @classmethod
    def offer(cls, **fields: Any) -> tuple[Self, CourseOffered]:
        """Offer a course."""
        course = cls.make(**fields)
        course._refuse_level_of_nothing()
        return course, CourseOffered(**course._told(), externals=course.externals)

    def change(self, **fields: Any) -> CourseChanged | None:
        """Describe it differently; trainings that were finished keep what they cost."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        for name, value in new.items():
            setattr(self, name, value)
        self._refuse_level_of_nothing()
        return CourseChanged(**self._told())

    def plan_session(self, session: str, on: date, end: date, seats: int | None) -> SessionPlanned:
        """Hold it on some days, for so many at most."""
        if end <= on:
            raise SessionEndsBeforeItBegins(on=on, end=end)
        planned = {"session": session, "on": on.isoformat(), "to": end.isoformat(), "seats": seats, "cancelled": False}
        self.sessions = sorted([*self.sessions, planned], key=lambda each: (each["on"], each["session"]))
        return SessionPlanned(session=session, on=on, until=end, seats=seats)

    def cancel_session(self, session: str) -> SessionCancelled | None:
        """Not hold it on those days."""
        if self.session(session)["cancelled"]:
            return None
        self.sessions = [each | {"cancelled": True} if each["session"] == session else each for each in self.sessions]
        return SessionCancelled(session=session)

    def session(self, session: str) -> dict[str, Any]:
        """One of its sessions; raises NoSuchSession."""
        found = next((each for each in self.sessions if each["session"] == session), None)
        if found is None:
            known = ", ".join(each["session"] for each in self.sessions) or "none"
            raise NoSuchSession(session=session, known=known)
        return found

    def seat(self, session: str, taken: int) -> date:
        """The first day of a session in which one more takes part; `taken` is how many do already."""
        found = self.session(session)
        if found["cancelled"]:
            raise SessionIsCancelled(on=found["on"])
        if found["seats"] is not None and taken >= found["seats"]:
            raise SessionIsFull(on=found["on"], seats=found["seats"])
        return date.fromisoformat(found["on"])

    def _told(self) -> dict[str, Any]:
        return {
            "name": self.name, "skill": self.skill, "level": self.level, "cost": self.cost, "trains": self.trains,
        }  # fmt: skip

    def _refuse_level_of_nothing(self) -> None:
        if self.level is not None and self.skill is None:
            raise LevelOfNothing(level=self.level)
