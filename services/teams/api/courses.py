"""`/v1/courses`: what can be learnt, where and when."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from pydantic import Field

from services.teams.api.references import sought
from services.teams.api.skills import Level
from services.teams.domain.learning import Course, Skill
from services.teams.domain.trainings import Training
from shared.http.bodies import Body, Name, Named, Ref
from shared.http.collection import Collection, fresh
from shared.ids import new_id
from shared.instant import Day
from shared.money import NonNegative
from shared.store import Tx

courses = Collection(Course, "courses", filters={"skill": "skill"}, refs={"skill": Skill})
_training = Training.__table__.c  # type: ignore[attr-defined]
_SEATED = sa.select(Training).where(
    _training.course == sa.bindparam("course"),
    _training.session == sa.bindparam("session"),
    _training.status == "assigned",
)
Trains = Literal["teamwork", "selling", "product"]


class OfferCourse(Named):
    """A course: what it teaches, up to which level, and what it costs for each member who takes it."""

    name: Name = Field(examples=["Negotiating prices"])
    skill: Ref | None = None
    level: Level | None = None
    cost: NonNegative | None = None
    trains: Trains | None = Field(default=None, description="what a review may find to be missing")


class ChangeCourse(Named):
    """What to change about a course; what is not sent stays, null clears."""

    name: Name = ""
    skill: Ref | None = None
    level: Level | None = None
    cost: NonNegative | None = None
    trains: Trains | None = None


class PlanSession(Body):
    """Days on which a course is held."""

    start: Day = Field(alias="from")
    to: Day = Field(description="the first day after it")
    seats: int | None = Field(default=None, ge=1, le=10_000)


class CancelSession(Body):
    """The session that is not held."""

    session: str = Field(min_length=1, max_length=100)


@courses.create
async def offer_course(tx: Tx, body: OfferCourse) -> Course:
    """Offer a course."""
    skill = (await sought(tx, Skill, body.skill, "/skill")).id if body.skill else None
    fields = {"name": body.name, "skill": skill, "level": body.level, "cost": body.cost, "trains": body.trains}
    return tx.save(*Course.offer(**fields, **fresh(Course, body)))


@courses.amend
async def change_course(tx: Tx, course: Course, body: ChangeCourse) -> Course:
    """Describe a course differently; trainings that were finished keep what they cost."""
    sent = body.sent()
    if sent.get("skill"):
        sent["skill"] = (await sought(tx, Skill, sent["skill"], "/skill")).id
    return tx.save(course, course.change(**sent))


@courses.verb("sessions")
async def plan_session(tx: Tx, course: Course, body: PlanSession) -> Course:
    """Hold a course on some days."""
    return tx.save(course, course.plan_session(new_id("ses"), body.start, body.to, body.seats))


@courses.verb("cancel-session")
async def cancel_session(tx: Tx, course: Course, body: CancelSession) -> Course:
    """Not hold a course on those days; who was to take part is still to take the course."""
    cancelled = course.cancel_session(body.session)
    if cancelled is not None:
        for training in await tx.all(Training, _SEATED, course=course.id, session=body.session):
            tx.save(training, training.plan(due=training.due, session=None))
    return tx.save(course, cancelled)
