"""`/v1/trainings`: who is to take which course, took it, and with which result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from services.teams.api.onboarding_steps import tick_off
from services.teams.api.organisation import today
from services.teams.api.readers import about, people_of
from services.teams.api.references import sought
from services.teams.api.skills import gaps_of
from services.teams.domain.learning import Course
from services.teams.domain.members import Member, MemberIsErased
from services.teams.domain.teams import Group, Team
from services.teams.domain.trainings import Check, Training
from shared.errors import Invalid, Refused
from shared.http.bodies import Body, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, write
from shared.identity.permissions import Principal, require
from shared.ids import new_id
from shared.instant import Day
from shared.membership import on_day
from shared.money import Money, NonNegative
from shared.store import Snapshot, Tx

router = APIRouter(tags=["trainings"])
_WRITE = require("trainings:write")
_training = Training.__table__.c  # type: ignore[attr-defined]
_TAKEN = sa.select(Training).where(
    _training.member == sa.bindparam("member"), _training.course == sa.bindparam("course")
)
_SEATED = sa.select(sa.func.count()).where(
    _training.course == sa.bindparam("course"),
    _training.session == sa.bindparam("session"),
    _training.status != "cancelled",
)
_OF_MEMBER = sa.select(Training).where(_training.member == sa.bindparam("member"))
_PRIVATE = ("score_before", "score_after", "rating", "comment")
_MOST = 1000


async def present(snapshot: Snapshot, found: Sequence[Training], reader: Principal | None) -> list[dict[str, Any]]:
    """Trainings; scores, and what was said of a course, only for the member, who leads them, and who trains."""
    knows_all = reader is None or reader.may("trainings:write")
    people = set() if knows_all or reader is None else await people_of(snapshot, reader)
    hidden = dict.fromkeys(_PRIVATE)
    return [shown(each) | ({} if knows_all or each.member in people else hidden) for each in found]


trainings = Collection(
    Training,
    "trainings",
    filters={"member": "member", "course": "course", "session": "session", "review": "review", "status": "status"},
    refs={"member": Member, "course": Course},
    present=present,
    on_day=Training.as_on,
    readable=about(_training.member, known_to="trainings:write"),
)
Score = Annotated[int, Field(ge=0, le=100, strict=True)]
Rating = Annotated[int, Field(ge=1, le=5, strict=True)]


class AssignTraining(Named):
    """A member who is to take a course."""

    course: Ref
    member: Ref
    session: str | None = Field(default=None, description="one of the course's sessions")
    due: Day | None = None
    on: Day | None = Field(default=None, description="the day it was assigned, today if not given")


class PlanTraining(Named):
    """What to change about a training that has not begun; what is not sent stays, null clears."""

    course: Ref = ""
    member: Ref = ""
    session: str | None = None
    due: Day | None = None
    on: Day | None = None


class AttendTraining(Body):
    """The day on which it began."""

    on: Day | None = None


class CompleteTraining(Body):
    """When and how a training ended, and what it cost."""

    on: Day | None = None
    score_before: Score | None = Field(default=None, description="0 to 100")
    score_after: Score | None = Field(default=None, description="0 to 100")
    feedback: Rating | Text | None = Field(default=None, description="1 to 5, or in words")
    comment: Text | None = None
    cost: NonNegative | None = Field(default=None, description="what the course costs, if not sent; null is nothing")


class CorrectTraining(CompleteTraining):
    """What to put right about a training that has ended; what is not sent stays, null clears."""


class CancelTraining(Body):
    """The day on which it was given up."""

    on: Day | None = None


class AssignToMany(Body):
    """Members who are to take a course: named, or those of a team or group; perhaps only who lacks what it teaches."""

    course: Ref
    members: list[Ref] = Field(default_factory=list, max_length=_MOST)
    team: Ref | None = None
    group: Ref | None = None
    only_gaps: bool = Field(default=False, description="only whose job needs more of the course's skill than they have")
    session: str | None = None
    due: Day | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _to_somebody(self) -> AssignToMany:
        if sum(map(bool, (self.members, self.team, self.group))) != 1 and not (
            self.only_gaps and not (self.members or self.team or self.group)
        ):
            raise ValueError("name members, a team or a group; with only_gaps nobody need be named")
        return self


class Left(BaseModel):
    """A member who was not assigned, and why."""

    member: str
    because: str


class AssignedToMany(BaseModel):
    """What became of it; of a dry run what would become."""

    dry_run: bool
    assigned: list[str] = Field(description="the members")
    trainings: list[str] = Field(description="their trainings, in the same order; none in a dry run")
    left_out: list[Left]


@trainings.create
async def assign_training(tx: Tx, body: AssignTraining) -> Training:
    """Let a member take a course."""
    course = await _course(tx, body.course, locked=body.session is not None)
    member = await sought(tx, Member, body.member, "/member")
    on = body.on or await today(tx)
    return await assign_course(tx, course, member, on, body.due, body.session, fresh(Training, body))


@trainings.amend
async def plan_training(tx: Tx, training: Training, body: PlanTraining) -> Training:
    """Plan a training for another day or session."""
    sent = body.sent()
    for name, model in (("course", Course), ("member", Member)):
        if sent.pop(name, None) and (await sought(tx, model, getattr(body, name), f"/{name}")).id != getattr(
            training, name
        ):
            raise Invalid.at(f"/{name}", f"the {name} of a training stays; cancel it and assign another")
    if sent.pop("on", None) not in (None, training.assigned_on):
        raise Invalid.at("/on", f"it was assigned on {training.assigned_on}, and that stays")
    plan = {"due": training.due, "session": training.session} | sent
    if plan["session"] is not None and plan["session"] != training.session:
        await _seat(tx, await tx.load(Course, training.course), plan["session"])
    return tx.save(training, training.plan(**plan))


@trainings.verb("attend")
async def attend_training(tx: Tx, training: Training, body: AttendTraining) -> Training:
    """Note that a member began to take the course."""
    return tx.save(training, training.attend(body.on or await today(tx), await _begins(tx, training)))


@trainings.verb("complete")
async def complete_training(tx: Tx, training: Training, body: CompleteTraining) -> Training:
    """Note that a member has finished the course; what it cost becomes an expense of their department."""
    member = await tx.get(Member, training.member)
    cost = body.cost if "cost" in body.model_fields_set else (await tx.get(Course, training.course)).cost
    begins, on = await _begins(tx, training), body.on or await today(tx)
    tx.save(training, training.complete(member, on, begins, _some(cost), **_outcome(member, body)))
    await _check(tx, training)
    await tick_off(tx, member.id, "training", training.course, on)
    return training


# A correction replaces the one before, so making an earlier one again is not a repetition.
@trainings.verb("correct", undoes=True)
async def correct_training(tx: Tx, training: Training, body: CorrectTraining) -> Training:
    """Put right what was said of a training's end; the expense follows."""
    member = await tx.get(Member, training.member)
    said = _outcome(member, body)
    if body.on is not None:
        said["completed_on"] = body.on
    if "cost" in body.model_fields_set:
        said["cost"] = _some(body.cost)
    tx.save(training, training.correct(member, **said))
    await _check(tx, training)
    return training


@trainings.verb("cancel")
async def cancel_training(tx: Tx, training: Training, body: CancelTraining) -> Training:
    """Note that a member does not take the course after all."""
    return tx.save(training, training.cancel(body.on or await today(tx)))


@router.post(
    "/v1/trainings/assign",
    operation_id="assign_to_many",
    openapi_extra=described(_WRITE, AssignToMany, {200: AssignedToMany}, missing=True, conflict=True),
)
async def assign_to_many(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Let several members take a course at once: all of them, or those who lack what it teaches."""
    raw = await request.body()
    body = parse(AssignToMany, raw)

    async def decide(tx: Tx) -> Answer:
        course = await _course(tx, body.course, locked=body.session is not None)
        on = await today(tx)
        assigned: list[str] = []
        trainings: list[str] = []
        left_out: list[dict[str, str]] = []
        for member in await _meant(tx, body, course, on):
            try:
                if body.dry_run:
                    await _try(tx, course, member, on, body, len(assigned))
                else:
                    identity = {"id": new_id(Training.prefix), "externals": {}}
                    trainings.append((await assign_course(tx, course, member, on, body.due, body.session, identity)).id)
                assigned.append(member.id)
            except Refused as refusal:
                if refusal.faults and refusal.faults[0].pointer in ("/session", "/due"):
                    raise
                left_out.append({"member": member.id, "because": refusal.detail})
        answer = {"dry_run": body.dry_run, "assigned": assigned, "trainings": trainings, "left_out": left_out}
        return Answer(200, as_json(answer))

    return await write(request, principal, decide, body=raw)


async def trainings_of(snapshot: Snapshot, member: str) -> list[Training]:
    """The trainings of a member."""
    return await snapshot.all(Training, _OF_MEMBER, member=member)


async def _meant(tx: Tx, body: AssignToMany, course: Course, on: date) -> list[Member]:
    """The members that a body means, each once."""
    if body.members:
        named = [await sought(tx, Member, ref, f"/members/{place}") for place, ref in enumerate(body.members)]
        members = list({each.id: each for each in named}.values())
    else:
        team = (await sought(tx, Team, body.team, "/team")).id if body.team else None
        group = (await sought(tx, Group, body.group, "/group")).id if body.group else None
        members = [
            each
            for each in await tx.all(Member, sa.select(Member))
            if on_day(each.employments, on)
            and (team is None or team in on_day(each.memberships, on))
            and (group is None or group in on_day(each.groups, on))
        ]
    if body.only_gaps:
        if course.skill is None:
            raise Invalid.at("/only_gaps", "the course names no skill, so nobody is known to lack what it teaches")
        lacking = {gap["member"] for gap in await gaps_of(tx, on, skill=course.skill)}
        members = [each for each in members if each.id in lacking]
    if len(members) > _MOST:
        raise Invalid.at("/team", f"these are {len(members)} members; at most {_MOST} are assigned at once")
    return sorted(members, key=lambda each: each.id)


async def assign_course(
    tx: Tx, course: Course, member: Member, on: date, due: date | None, session: str | None, identity: dict[str, Any]
) -> Training:
    """Let a member take a course, in a session that has a seat."""
    others = await tx.all(Training, _TAKEN, member=member.id, course=course.id)
    if session is not None:
        await _seat(tx, course, session)
    assigned = Training.assign(
        member, others, course=course.id, on=on, due=due, session=session, trains=course.trains, **identity
    )
    return tx.save(*assigned)


async def _try(tx: Tx, course: Course, member: Member, on: date, body: AssignToMany, besides: int) -> None:
    """Assign without storing anything; `besides` are those who would have been seated before."""
    others = await tx.all(Training, _TAKEN, member=member.id, course=course.id)
    Training.assign(member, others, course=course.id, on=on, due=body.due, id="", externals={})
    if body.session is not None:
        await _seat(tx, course, body.session, besides)


async def _course(tx: Tx, ref: str, *, locked: bool) -> Course:
    """A course; locked, so that two cannot both take its last seat."""
    course: Course = await sought(tx, Course, ref, "/course")
    return await tx.load(Course, course.id) if locked else course


async def _seat(tx: Tx, course: Course, session: str, besides: int = 0) -> date:
    taken = int(await tx.scalar(_SEATED, course=course.id, session=session))
    return course.seat(session, taken + besides)


async def _begins(tx: Tx, training: Training) -> date | None:
    if training.session is None:
        return None
    course = await tx.get(Course, training.course)
    return date.fromisoformat(course.session(training.session)["on"])


async def _check(tx: Tx, training: Training) -> None:
    """Tell the score of a training apart from it."""
    check = await tx.seek(Check, training.id) or Check.make(id=training.id)
    assert training.completed_on is not None
    tx.save(check, check.mark_as(training.score_after, training.completed_on))


def _outcome(member: Member, body: CompleteTraining) -> dict[str, Any]:
    outcome: dict[str, Any] = {name: getattr(body, name) for name in ("score_before", "score_after", "comment")
               if name in body.model_fields_set}  # fmt: skip
    if isinstance(body.feedback, str):
        outcome["comment"] = body.feedback
    elif "feedback" in body.model_fields_set:
        outcome["rating"] = body.feedback
    if outcome.get("comment") and member.erased:
        raise MemberIsErased(pointer="/comment")
    return outcome


def _some(cost: Money | None) -> Money | None:
    """A cost of nothing is none: it makes no expense."""
    return cost if cost is not None and cost.minor else None
