"""`/v1/skills` and `/v1/courses`: what members can do, what jobs need, and what can be learnt where and when."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.teams.api.organisation import today
from services.teams.api.readers import people_of
from services.teams.api.references import sought
from services.teams.domain.learning import HIGHEST, Ability, Course, Skill
from services.teams.domain.members import Member
from services.teams.domain.teams import Department, Team
from services.teams.domain.trainings import Training
from shared.http.bodies import Body, Name, Named, Ref
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.pages import asked_only
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, version_headers, write
from shared.identity.permissions import Principal, forbidden, require
from shared.ids import derived_id, new_id
from shared.instant import Day
from shared.membership import on_day
from shared.money import NonNegative
from shared.store import Snapshot, Tx

skills = Collection(Skill, "skills")
courses = Collection(Course, "courses", filters={"skill": "skill"}, refs={"skill": Skill})
router = APIRouter(tags=["skills"])
_READ, _WRITE = require("skills:read"), require("skills:write")
_ability = Ability.__table__.c  # type: ignore[attr-defined]
_training = Training.__table__.c  # type: ignore[attr-defined]
_OF_MEMBER = sa.select(Ability).where(_ability.member == sa.bindparam("member")).order_by(_ability.skill)
_SEATED = sa.select(Training).where(
    _training.course == sa.bindparam("course"),
    _training.session == sa.bindparam("session"),
    _training.status == "assigned",
)
Level = Annotated[int, Field(ge=0, le=HIGHEST, strict=True, description="0 is not at all, 5 is mastery")]
Trains = Literal["teamwork", "selling", "product"]
SkillRef = Annotated[str, Path(description="a skill: our id, or `ext:<source>:<id>`")]


class NameSkill(Named):
    """Something members can do."""

    name: Name = Field(examples=["Negotiation"])


class NeedSkill(Body):
    """The level of a skill that a job needs; 0 when it needs none."""

    job: Name = Field(examples=["Account manager"])
    level: Level


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


class AssessSkill(Body):
    """The level a member has of a skill, from a day on."""

    level: Level
    on: Day | None = None


class AbilityShown(BaseModel):
    """The level a member has of a skill, what their job needs, and by how much they fall short of it."""

    member: str
    skill: str
    level: int | None = Field(description="null while nobody has looked")
    since: date | None
    needed: int | None = Field(description="by their job; null if it needs none")
    gap: int = Field(description="needed - level, if that is more than nothing; a level nobody has looked at is 0")


@skills.create
async def name_skill(tx: Tx, body: NameSkill) -> Skill:
    """Give something that members can do a name."""
    return tx.save(*Skill.found(name=body.name, **fresh(Skill, body)))


@skills.amend
async def rename_skill(tx: Tx, skill: Skill, body: NameSkill) -> Skill:
    """Call a skill otherwise."""
    return tx.save(skill, skill.rename(body.name))


# Each need of a job replaces the one before, so saying an earlier one again is not a repetition.
@skills.verb("need", replaces=True)
async def need_skill(tx: Tx, skill: Skill, body: NeedSkill) -> Skill:
    """Say which level of a skill a job needs."""
    return tx.save(skill, skill.need(body.job, body.level))


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


@router.put(
    "/v1/members/{ref}/skills/{skill}",
    operation_id="assess_skill",
    openapi_extra=described(_WRITE, AssessSkill, {200: AbilityShown}, missing=True, conflict=True),
)
async def assess_skill(
    request: Request, ref: Reference, skill: SkillRef, principal: Annotated[Principal, Depends(_WRITE)]
) -> Response:
    """Say which level of a skill a member has, from a day on."""
    raw = await request.body()
    body = parse(AssessSkill, raw)

    async def decide(tx: Tx) -> Answer:
        member, found = await tx.load(Member, ref), await tx.get(Skill, skill)
        on = body.on or max(await today(tx), member.starts_on)
        member.employment(on, "/on")
        key = derived_id(Ability.prefix, f"{member.id}/{found.id}")
        ability = await tx.seek(Ability, key) or Ability.make(id=key, member=member.id, skill=found.id)
        tx.save(ability, ability.assess(body.level, on))
        return Answer(200, as_json(_shown(member, found, ability, on)), version_headers(ability))

    return await write(request, principal, decide, body=raw)


@router.get(
    "/v1/members/{ref}/skills",
    operation_id="skills_of_member",
    openapi_extra=described(_READ, None, {200: AbilityShown}, page=True, missing=True),
)
async def skills_of_member(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)], on: Day | None = None
) -> Response:
    """What a member can do and what their job needs; for them, who leads a team of theirs, and who assesses skills."""
    asked_only(request, {"on"})

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        member = await snapshot.get(Member, ref)
        if not (principal.may("skills:write") or member.id in await people_of(snapshot, principal)):
            raise forbidden("skills:write")
        named = {skill.id: skill for skill in await snapshot.all(Skill, sa.select(Skill))}
        have = {each.skill: each for each in await snapshot.all(Ability, _OF_MEMBER, member=member.id)}
        day = on or await today(snapshot)
        rows = [_shown(member, skill, have.get(key), day) for key, skill in sorted(named.items())]
        return [row for row in rows if row["level"] is not None or row["needed"] is not None]

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


@router.get(
    "/v1/skill-gaps",
    operation_id="skill_gaps",
    openapi_extra=described(_READ, None, {200: AbilityShown}, page=True, missing=True),
)
async def skill_gaps(
    request: Request,
    principal: Annotated[Principal, Depends(_READ)],
    team: Annotated[str | None, Query(description="only of who is in this team")] = None,
    department: Annotated[str | None, Query(description="only of who is in this department")] = None,
    skill: Annotated[str | None, Query(description="only of this skill")] = None,
) -> Response:
    """Who falls short of what their job needs, the widest gap first: of all for who assesses skills, else of one's own
    people."""
    asked_only(request, {"team", "department", "skill"})

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        whose = None if principal.may("skills:write") else await people_of(snapshot, principal)
        gaps = await gaps_of(
            snapshot,
            team=(await snapshot.get(Team, team)).id if team else None,
            department=(await snapshot.get(Department, department)).id if department else None,
            skill=(await snapshot.get(Skill, skill)).id if skill else None,
        )
        return [gap for gap in gaps if whose is None or gap["member"] in whose]

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


async def gaps_of(
    snapshot: Snapshot, *, team: str | None = None, department: str | None = None, skill: str | None = None
) -> list[dict[str, Any]]:
    """Where those who work here today fall short of what their job needs, the widest gap first."""
    day = await today(snapshot)
    named = [each for each in await snapshot.all(Skill, sa.select(Skill)) if each.needed and skill in (None, each.id)]
    if not named:
        return []
    have = {(each.member, each.skill): each for each in await snapshot.all(Ability, sa.select(Ability))}
    gaps = []
    for member in await snapshot.all(Member, sa.select(Member)):
        if not on_day(member.employments, day):
            continue
        if team is not None and team not in on_day(member.memberships, day):
            continue
        if department is not None and department not in on_day(member.departments, day):
            continue
        gaps += [_shown(member, each, have.get((member.id, each.id)), day) for each in named]
    return sorted((gap for gap in gaps if gap["gap"]), key=lambda gap: (-gap["gap"], gap["member"], gap["skill"]))


def _shown(member: Member, skill: Skill, ability: Ability | None, day: date) -> dict[str, Any]:
    level = ability.on(day) if ability else None
    needed = skill.needed.get(member.position(day)["job"] or "")
    since = next((each["from"] for each in ability.levels if each["of"] == level), None) if ability else None
    gap = max((needed or 0) - (level or 0), 0)
    return {"member": member.id, "skill": skill.id, "level": level, "since": since, "needed": needed, "gap": gap}
