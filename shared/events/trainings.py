"""What teams tells of learning: what members can do, which courses there are, and who was trained, when and for how
much. Scores are told apart, to those who may see everybody's; what people said of a course stays with teams."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shared.events import Event, event
from shared.money import Money


@event("concert.teams.skill-named.v1")
class SkillNamed(Event):
    """The organisation has a name for something members can do."""

    name: str
    externals: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LevelNeeded:
    """The level of a skill, from 1 to 5, that a job needs from a day on, perhaps until another; 0 is none."""

    level: int
    on: date
    until: date | None = None


@event("concert.teams.skill-changed.v1")
class SkillChanged(Event):
    """A skill is called otherwise, or other jobs need it at other levels; the event says all of it."""

    name: str
    needed: dict[str, int] = field(default_factory=dict)
    """The level that each of these jobs needs by the last word, whatever its day."""
    needs: dict[str, tuple[LevelNeeded, ...]] = field(default_factory=dict)
    """The levels that each job needs, by day; where none are said, what is `needed` has always been so."""


@event("concert.teams.skill-assessed.v1")
class SkillAssessed(Event):
    """A member has a skill at this level from a day on; 0 is not at all."""

    member: str
    skill: str
    level: int
    on: date


@event("concert.teams.course-offered.v1")
class CourseOffered(Event):
    """There is a course, what it teaches up to which level, and what it costs for each member."""

    name: str
    skill: str | None = None
    level: int | None = None
    cost: Money | None = None
    trains: str | None = None
    """Teamwork, selling or the product."""
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.course-changed.v1")
class CourseChanged(Event):
    """A course is called otherwise, teaches something else or costs something else; the event says all of it."""

    name: str
    skill: str | None = None
    level: int | None = None
    cost: Money | None = None
    trains: str | None = None


@event("concert.teams.session-planned.v1")
class SessionPlanned(Event):
    """A course is held from a day on, for so many members at most."""

    session: str
    on: date
    until: date
    seats: int | None = None


@event("concert.teams.session-cancelled.v1")
class SessionCancelled(Event):
    """A course is not held on those days."""

    session: str


@event("concert.teams.training-assigned.v1")
class TrainingAssigned(Event):
    """A member is to take a course; department and team are theirs of that day."""

    member: str
    course: str
    on: date
    department: str
    team: str | None = None
    due: date | None = None
    session: str | None = None
    trains: str | None = None
    """What the course trains on that day: teamwork, selling or the product."""
    review: str | None = None
    """The review on which it was decided."""
    option: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.teams.training-planned.v1")
class TrainingPlanned(Event):
    """A training is due by another day, or taken in another session; the event says both."""

    due: date | None = None
    session: str | None = None


@event("concert.teams.training-attended.v1")
class TrainingAttended(Event):
    """A member began to take their course."""

    on: date


@event("concert.teams.training-completed.v1")
class TrainingCompleted(Event):
    """A member has finished their course, and what that cost the department they were in."""

    member: str
    course: str
    on: date
    department: str
    cost: Money | None = None


@event("concert.teams.training-corrected.v1")
class TrainingCorrected(Event):
    """A training was finished on another day or cost something else; the event says all of it."""

    member: str
    course: str
    on: date
    department: str
    cost: Money | None = None


@event("concert.teams.training-cancelled.v1")
class TrainingCancelled(Event):
    """A member does not take the course after all."""

    on: date


@event("concert.teams.training-described.v1")
class TrainingDescribed(Event):
    """What is said of a training has changed; it stays with teams."""


@event("concert.teams.check-scored.v1")
class CheckScored(Event):
    """The check at the end of a training was passed by so much, from 0 to 100; none when that was not so after all.

    The check has the training's id; whose it is, the training says.
    """

    score: int | None
    on: date
