"""`/v1/onboardings`: what somebody new needs to begin: equipment, courses, a buddy, and what else there is to do."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from services.teams.api.onboarding_steps import onboardings_of
from services.teams.api.organisation import today
from services.teams.api.readers import about
from services.teams.api.references import member_id, sought
from services.teams.api.trainings import assign_course, trainings_of
from services.teams.domain.equipment import Equipment
from services.teams.domain.learning import Course
from services.teams.domain.members import Member
from services.teams.domain.onboardings import Onboarding, step
from services.teams.domain.trainings import Training
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Ref, Word
from shared.http.collection import Collection, fresh
from shared.ids import new_id
from shared.instant import Day
from shared.store import Tx

_onboarding, _piece = Onboarding.__table__.c, Equipment.__table__.c  # type: ignore[attr-defined]
_HELD = sa.select(Equipment).where(_piece.holder == sa.bindparam("member"))
onboardings = Collection(
    Onboarding,
    "onboardings",
    filters={"member": "member", "status": "status"},
    refs={"member": Member},
    readable=about(_onboarding.member, _onboarding.buddy, known_to="onboardings:write"),
)


class Task(Body):
    """Something else to be done for a joiner."""

    title: Name = Field(examples=["Show them the warehouse"])
    due: Day | None = None


class BeginOnboarding(Named):
    """What somebody new needs; the courses are assigned to them."""

    member: Ref
    buddy: Ref | None = None
    equipment: list[Word] = Field(default_factory=list, max_length=50, examples=[["laptop", "phone"]])
    courses: list[Ref] = Field(default_factory=list, max_length=50)
    tasks: list[Task] = Field(default_factory=list, max_length=100)
    due: Day | None = Field(default=None, description="by when, if not by the first day")


class ChangeOnboarding(Named):
    """Another buddy, or more of what they need; what was listed stays."""

    member: Ref = ""
    buddy: Ref | None = None
    equipment: list[Word] = Field(default_factory=list, max_length=50)
    courses: list[Ref] = Field(default_factory=list, max_length=50)
    tasks: list[Task] = Field(default_factory=list, max_length=100)
    due: Day | None = None


class DoStep(Body):
    """A task that is done."""

    step: Name = Field(examples=["task-1"])
    on: Day | None = None


class CancelOnboarding(Body):
    """The day from which nothing is needed any more."""

    on: Day | None = None


@onboardings.create
async def begin_onboarding(tx: Tx, body: BeginOnboarding) -> Onboarding:
    """List what somebody new needs, and let them take the courses."""
    member: Member = await sought(tx, Member, body.member, "/member")
    # The member is locked, so that two cannot both find that nobody is onboarding them.
    await tx.load(Member, member.id)
    open_already = [each for each in await onboardings_of(tx, member.id) if each.status == "open"]
    begun = Onboarding.begin(
        member,
        open_already,
        steps=await _steps(tx, member, body, [], body.due or member.starts_on),
        buddy=await member_id(tx, body.buddy, "/buddy") if body.buddy else None,
        **fresh(Onboarding, body),
    )
    return tx.save(*begun)


@onboardings.amend
async def change_onboarding(tx: Tx, onboarding: Onboarding, body: ChangeOnboarding) -> Onboarding:
    """Let another one accompany somebody new, or list more of what they need."""
    if body.member and await member_id(tx, body.member, "/member") != onboarding.member:
        raise Invalid.at("/member", f"this onboarding is that of {onboarding.member}, and stays so")
    member: Member = await tx.get(Member, onboarding.member)
    buddy = onboarding.buddy
    if "buddy" in body.model_fields_set:
        buddy = await member_id(tx, body.buddy, "/buddy") if body.buddy else None
    more = await _steps(tx, member, body, onboarding.steps, body.due or onboarding.starts_on)
    return tx.save(onboarding, onboarding.change(buddy=buddy, more=more))


@onboardings.verb("done")
async def do_step(tx: Tx, onboarding: Onboarding, body: DoStep) -> Onboarding:
    """Tick off a task."""
    return tx.save(onboarding, onboarding.do(body.step, body.on or await today(tx)))


@onboardings.verb("cancel")
async def cancel_onboarding(tx: Tx, onboarding: Onboarding, body: CancelOnboarding) -> Onboarding:
    """Stop an onboarding that is not needed any more."""
    return tx.save(onboarding, onboarding.cancel(body.on or await today(tx)))


async def _steps(
    tx: Tx, member: Member, body: BeginOnboarding | ChangeOnboarding, listed: list[dict[str, Any]], due: date
) -> list[dict[str, Any]]:
    """What a body lists beyond what is listed; a course that is not finished yet is assigned."""
    numbers = {kind: sum(each["kind"] == kind for each in listed) for kind in ("equipment", "training", "task")}

    def one(kind: str, **fields: Any) -> dict[str, Any]:
        numbers[kind] += 1
        return step(kind, number=numbers[kind], **({"due": due} | fields))

    held = {each.sort: each.since for each in await tx.all(Equipment, _HELD, member=member.id)}
    steps = [one("equipment", what=kind, done_on=held.get(kind)) for kind in body.equipment]
    have = {each.course: each for each in await trainings_of(tx, member.id) if each.status != "cancelled"}
    for place, ref in enumerate(body.courses):
        course: Course = await sought(tx, Course, ref, f"/courses/{place}")
        taken = have.get(course.id)
        steps.append(one("training", what=course.id, done_on=taken.completed_on if taken else None))
        if taken is None:
            on = max(await today(tx), member.starts_on)
            identity = {"id": new_id(Training.prefix), "externals": {}}
            await assign_course(tx, course, member, on, max(due, on), None, identity)
    return steps + [one("task", title=task.title, due=task.due or due) for task in body.tasks]
