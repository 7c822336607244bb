"""`/v1/skills`: what members can do, what their jobs need, and where they fall short of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, create_model

from services.teams.api.organisation import today
from services.teams.api.readers import people_of
from services.teams.api.references import sought
from services.teams.domain.learning import HIGHEST, Ability, Skill
from services.teams.domain.members import Member
from services.teams.domain.teams import Department, Team
from shared.http.bodies import Body, Name, Named, Ref, shown
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.pages import asked_only
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, version_headers, write
from shared.identity.permissions import Principal, forbidden, require
from shared.ids import derived_id
from shared.instant import Day
from shared.membership import on_day
from shared.store import Snapshot, Tx

router = APIRouter(tags=["skills"])


class LevelShown(BaseModel):
    """A level that a job needs from a day on; 0 is none."""

    level: int
    start: Day = Field(alias="from", description="`0001-01-01` where it was said without a day")
    to: Day | None = Field(description="the first day after it")


_Shown = create_model(
    "_Shown",
    needed=(dict[str, int], Field(description="by job, the level it needs today, or on the day asked about")),
    needs=(dict[str, list[LevelShown]], Field(description="by job, the levels that it needs, by day")),
)


async def present(snapshot: Snapshot, found: Sequence[Skill], reader: Principal | None) -> list[dict[str, Any]]:
    """Skills, with the levels that jobs need today and needed before."""
    day = await today(snapshot)
    return [shown(each) | each.as_on(day) | {"needs": _by_day(each)} for each in found]


def _by_day(skill: Skill) -> dict[str, list[dict[str, Any]]]:
    return {
        job: [{"level": each["of"], "from": each["from"], "to": each["to"]} for each in spells]
        for job, spells in skill.levels.items()
    }


skills = Collection(Skill, "skills", present=present, extra=_Shown, on_day=Skill.as_on)
_READ, _WRITE = require("skills:read"), require("skills:write")
_ability = Ability.__table__.c  # type: ignore[attr-defined]
_OF_MEMBER = sa.select(Ability).where(_ability.member == sa.bindparam("member")).order_by(_ability.skill)
Level = Annotated[int, Field(ge=0, le=HIGHEST, strict=True, description="0 is not at all, 5 is mastery")]
SkillRef = Annotated[str, Path(description="a skill: our id, or `ext:<source>:<id>`")]


class NameSkill(Named):
    """Something members can do."""

    name: Name = Field(examples=["Negotiation"])


class NeedSkill(Body):
    """The level of a skill that a job needs from a day on; 0 when it needs none."""

    job: Name = Field(examples=["Account manager"])
    level: Level
    on: Day | None = Field(default=None, description="the day from which this holds, today if not given")


class AssessSkill(Body):
    """The level a member has of a skill, from a day on."""

    level: Level
    on: Day | None = None


class AssessMember(AssessSkill):
    """The level of a skill that a member has, from a day on."""

    member: Ref


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
    """Say which level of a skill a job needs from a day on; gaps of days before stay as they were."""
    return tx.save(skill, skill.need(body.job, body.level, body.on or await today(tx)))


# Levels of many members come as rows of a bulk; of one they are put to the member.
@skills.verb("assess", routed=False)
async def assess_member(tx: Tx, skill: Skill, body: AssessMember) -> Skill:
    """Say which level of a skill a member has, from a day on."""
    member = await sought(tx, Member, body.member, "/member")
    await _assessed(tx, member, skill, body)
    return skill


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
        ability, on = await _assessed(tx, member, found, body)
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
    on: Annotated[Day | None, Query(description="as it was on this day, by the jobs, levels and needs of it")] = None,
) -> Response:
    """Who falls short of what their job needs, the widest gap first: of all for who assesses skills, else of one's own
    people."""
    asked_only(request, {"team", "department", "skill", "on"})

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        whose = None if principal.may("skills:write") else await people_of(snapshot, principal)
        gaps = await gaps_of(
            snapshot,
            on or await today(snapshot),
            team=(await snapshot.get(Team, team)).id if team else None,
            department=(await snapshot.get(Department, department)).id if department else None,
            skill=(await snapshot.get(Skill, skill)).id if skill else None,
        )
        return [gap for gap in gaps if whose is None or gap["member"] in whose]

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


async def _assessed(tx: Tx, member: Member, skill: Skill, body: AssessSkill) -> tuple[Ability, date]:
    """What a member can do as it was found, and from which day on."""
    on = body.on or max(await today(tx), member.starts_on)
    member.employment(on, "/on")
    key = derived_id(Ability.prefix, f"{member.id}/{skill.id}")
    ability = await tx.seek(Ability, key) or Ability.make(id=key, member=member.id, skill=skill.id)
    tx.save(ability, ability.assess(body.level, on))
    return ability, on


async def gaps_of(
    snapshot: Snapshot, day: date, *, team: str | None = None, department: str | None = None, skill: str | None = None
) -> list[dict[str, Any]]:
    """Where those who worked here on a day fell short of what their job needed, the widest gap first."""
    named = [each for each in await snapshot.all(Skill, sa.select(Skill)) if each.levels and skill in (None, each.id)]
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
    needed = skill.needed_on(member.position(day)["job"], day)
    since = next((each["from"] for each in ability.levels if each["of"] == level), None) if ability else None
    gap = max((needed or 0) - (level or 0), 0)
    return {"member": member.id, "skill": skill.id, "level": level, "since": since, "needed": needed, "gap": gap}
