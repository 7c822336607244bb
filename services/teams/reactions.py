"""What other services' facts oblige teams to do: what is decided on a review is trained, or somebody's duty.

Ids come from the id of the event that told the decision, so what is heard twice makes nothing twice.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.teams import known
from services.teams.domain.duties import Duty
from services.teams.domain.learning import Course
from services.teams.domain.members import Member
from services.teams.domain.trainings import Training
from shared.errors import Refused
from shared.events import Envelope
from shared.events.reviews import ActionDecided, DecisionWithdrawn, Step
from shared.ids import derived_id
from shared.membership import latest_on
from shared.store import Tx
from shared.store.sql import OneOf
from shared.works import NO_COURSE, title_of

subscriptions: Final = known.subscriptions
"""What is kept of others, and what is done about it."""
_course = Course.__table__.c  # type: ignore[attr-defined]
_training = Training.__table__.c  # type: ignore[attr-defined]
_duty = Duty.__table__.c  # type: ignore[attr-defined]
_TRAININGS = sa.select(Training).where(_training.review == sa.bindparam("review")).order_by(_training.id)
_DUTIES = sa.select(Duty).where(_duty.review == sa.bindparam("review")).order_by(_duty.id)
_NAMED = sa.select(Course).where(OneOf(_course.id, "ids")).order_by(_course.id)
_OF_KIND = sa.select(Course).where(_course.trains == sa.bindparam("kind")).order_by(_course.id)
_TAKEN = sa.select(Training).where(
    _training.member == sa.bindparam("member"), _training.course == sa.bindparam("course")
)


@subscriptions.on(ActionDecided)
async def carry_out(tx: Tx, event: ActionDecided, envelope: Envelope) -> None:
    """Make of a decision what its steps say."""
    for step in event.steps:
        if step.what == "trainings":
            await let_them_train(tx, event, envelope, step)
        elif step.what == "duty":
            await oblige(tx, event, envelope, step, title_of(step.work))


@subscriptions.on(DecisionWithdrawn)
async def take_back(tx: Tx, event: DecisionWithdrawn, envelope: Envelope) -> None:
    """Cancel what was made of a decision that is withdrawn: what was attended or done stays as it was."""
    for training in await tx.all(Training, _TRAININGS, review=envelope.key):
        assigned = await tx.load(Training, training.id)
        if assigned.status == "assigned":
            tx.save(assigned, assigned.cancel(max(event.on, assigned.assigned_on)))
    for duty in await tx.all(Duty, _DUTIES, review=envelope.key):
        found = await tx.load(Duty, duty.id)
        if found.status == "assigned":
            tx.save(found, found.cancel(max(event.on, found.assigned_on)))


async def let_them_train(tx: Tx, event: ActionDecided, envelope: Envelope, step: Step) -> None:
    """A training for each member of the team; where no course trains this, somebody is to offer one."""
    course = await course_for(tx, step)
    if course is None:
        await oblige(tx, event, envelope, step, NO_COURSE.format(kind=step.kind))
        return
    for one in event.members:
        training = derived_id(Training.prefix, f"{envelope.id} {step.option} {one}")
        member = await tx.seek(Member, one)
        if member is not None and await tx.seek_unlocked(Training, training) is None:
            others = await tx.all(Training, _TAKEN, member=one, course=course.id)
            _assign(tx, member, others, course=course.id, trains=course.trains, on=event.on,
                    due=_due(event, step), id=training, externals={}, **_cause(envelope, step))  # fmt: skip


async def course_for(tx: Tx, step: Step) -> Course | None:
    """The course that trains what is missing: one that the rules name, or the first that says so of itself."""
    named = await tx.all(Course, _NAMED, ids=sorted(step.courses)) if step.courses else []
    return next(iter(named or await tx.all(Course, _OF_KIND, kind=step.kind)), None)


async def oblige(tx: Tx, event: ActionDecided, envelope: Envelope, step: Step, title: str) -> None:
    """A duty of who sees to it."""
    duty = derived_id(Duty.prefix, f"{envelope.id} {step.option} {step.what}")
    member = await tx.seek(Member, event.responsible) if event.responsible else None
    if member is None or await tx.seek_unlocked(Duty, duty) is not None:
        return
    tx.save(*Duty.assign(
        id=duty, externals={}, title=title, about=f"/v1/reviews/{envelope.key}", member=member.id,
        assigned_by=event.by, on=event.on, due=_due(event, step), team=latest_on(member.memberships, event.on),
        department=member.position(event.on)["department"], **_cause(envelope, step),
    ))  # fmt: skip


def _assign(tx: Tx, member: Member, others: list[Training], **fields: Any) -> None:
    # Who has left, or takes the course already, is not assigned anew; the decision stands for the others.
    try:
        assigned = Training.assign(member, others, **fields)
    except Refused:
        return
    tx.save(*assigned)


def _due(event: ActionDecided, step: Step) -> date:
    return event.begins + timedelta(days=step.due_days or 28)


def _cause(envelope: Envelope, step: Step) -> dict[str, str]:
    return {"review": envelope.key, "option": step.option}
