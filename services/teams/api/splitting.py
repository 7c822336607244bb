"""`POST /v1/teams/{id}/split`: a team becomes groups, by hand, by what its members work on, or so that all carry alike.

What members carry is asked of targets before the transaction, and only then: of all deals teams keeps nothing.
"""

from __future__ import annotations

import asyncio
from datetime import date
from fractions import Fraction
from random import Random
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.teams.api.carried import Carried, carried
from services.teams.api.split_team import TeamToSplit, team_to_split
from services.teams.domain.members import Member
from services.teams.domain.splitting import (
    DRAWS,
    Load,
    MembersHaveChanged,
    balanced,
    by_mark,
    imbalance,
    random_imbalance,
    refuse_too_many,
    refuse_unless_once,
)  # fmt: skip
from services.teams.domain.teams import Group, Team
from shared.asked_period import AskedPeriod
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Ref
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, batch_headers, new_batch, write
from shared.identity.permissions import Principal, forbidden, require
from shared.ids import new_id
from shared.instant import Day
from shared.membership import covers
from shared.money import Money, plain, rounded
from shared.store import Snapshot, Tx

router = APIRouter(tags=["teams"])
_WRITE = require("groups:write")
Weight = Annotated[int, Field(ge=0, le=100, strict=True)]


class PartOfTeam(Body):
    """A group that a team is split into: a new one by its name, or one that the team has already."""

    name: Name | None = Field(default=None, examples=["Inbound"])
    group: Ref | None = None
    members: list[Ref] = Field(default=[], max_length=1000, description="of a split by hand: who is in it")
    values: list[Name] = Field(
        default=[], max_length=1000,
        description="of a split by region, product or customer: which of them; the group without any has the rest",
    )  # fmt: skip


class Weights(Body):
    """How much it matters that the groups carry alike of each measure."""

    members: Weight = 1
    target: Weight = 1
    pipeline: Weight = 1
    skills: Weight = 1
    ramp: Weight = 1


class SplitTeam(Body):
    """How a team is split, from which day, and whether that is only asked."""

    by: Literal["hand", "region", "product", "customer", "balance"] = "balance"
    groups: list[PartOfTeam] = Field(default=[], max_length=20)
    into: int | None = Field(default=None, ge=2, le=20, description="of a balanced split: how many groups")
    on: Day | None = Field(default=None, description="the first day of the groups, today if not given")
    period: AskedPeriod | None = Field(default=None, description="whose targets are looked at; the quarter of the day")
    weights: Weights = Weights()
    seed: int = Field(default=1, ge=0, le=2**31, description="of the random splits that it is compared with")
    dry_run: bool = False


class GroupShown(BaseModel):
    """A group, and what it would carry from that day on; what may not be seen, or is not known, is null."""

    group: str | None = Field(description="null while it is not made")
    name: str
    members: list[str]
    stay: int = Field(description="how many of them are in it already")
    targets: list[Money] | None = Field(description="what the members' revenue targets have due until the period's end")
    pipeline: list[Money] | None = Field(description="what their open deals are hoped to bring")
    deals_open: int | None
    skills: dict[str, int] | None = Field(description="the sum of the members' levels, for leaders and who assesses")
    ramp: str = Field(description="how many full quotas may be expected of them by their ramps")


class ImbalanceShown(BaseModel):
    """How far the fullest group is from the emptiest, as a share of the mean, beside the mean of random splits."""

    largest: str | None
    by_measure: dict[str, str]
    random: str | None
    draws: int
    seed: int


class SplitShown(BaseModel):
    """A split as it is, or would be."""

    team: str
    by: str
    on: date
    until: date = Field(description="the end of the period whose targets were looked at; not included")
    dry_run: bool
    groups: list[GroupShown]
    imbalance: ImbalanceShown
    notes: list[str]


@router.post(
    "/v1/teams/{ref}/split",
    operation_id="split_team",
    openapi_extra=described(_WRITE, SplitTeam, {200: SplitShown}, missing=True, conflict=True),
)
async def split_team(request: Request, ref: Reference, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Split a team into groups from a day on; who was in another group of the team is in that no more.

    Every member of that day is in exactly one. `dry_run` only says what each group would carry. The past stays: a
    group has what its members win from the day on, and aims at what they aim at on these days; duties stay theirs.
    """
    raw, runtime = await request.body(), runtime_of(request)
    body = parse(SplitTeam, raw)
    team = await runtime.store.read(lambda snapshot: team_to_split(snapshot, ref, body.on, body.period))
    if body.by == "customer":
        body = await runtime.store.read(lambda snapshot: _with_our_ids(snapshot, body))
    if principal.member is not None and principal.member != team.leader:
        raise forbidden("admin")
    work = await carried(runtime, principal, team, needed=body.by != "hand")
    groups, split = await asyncio.to_thread(_proposed, body, team, work)
    answer = await asyncio.to_thread(_shown, body, team, work, groups, split, principal)
    if body.dry_run:
        return Response(as_json(answer), media_type="application/json")

    async def decide(tx: Tx) -> Answer:
        await _refuse_if_changed(tx, ref, body, team)
        made = await _carry_out(tx, team, groups, split)
        shown = [each | {"group": group} for each, group in zip(answer["groups"], made, strict=True)]
        return Answer(200, as_json(answer | {"groups": shown}), batch_headers(tx))

    return await write(request, principal, decide, body=raw, batch=new_batch(runtime))


async def _with_our_ids(snapshot: Snapshot, body: SplitTeam) -> SplitTeam:
    """The body with our ids for the customers that it names as other systems do."""
    groups = []
    for each in body.groups:
        values = [await snapshot.resolve("customer", value) or value for value in each.values]
        groups.append(each.model_copy(update={"values": values}))
    return body.model_copy(update={"groups": groups})


def _proposed(body: SplitTeam, team: TeamToSplit, work: Carried) -> tuple[list[PartOfTeam], dict[str, int]]:
    """The groups, and the place of the group that each member is in."""
    if body.by == "hand":
        lists = team.said([each.members for each in body.groups])
        refuse_unless_once(team.members, lists)
        split = {member: place for place, members in enumerate(lists) for member in members}
        return _named(body.groups, team), split
    loads = work.loads(team)
    weights = body.weights.model_dump()
    if body.by == "balance":
        groups = _named(body.groups or [PartOfTeam() for _ in range(body.into or 2)], team)
        if body.into not in (None, len(groups)):
            raise Invalid.at("/into", f"{len(groups)} groups are named, not {body.into}")
        refuse_too_many(len(team.members), len(groups))
        held = team.held(groups)
        split = balanced(loads, len(groups), team.history(held), held=held, weights=weights)
        return groups, split
    groups = _named(body.groups or _of_each_value(body.by, team, work), team)
    refuse_too_many(max(len(team.members), len(groups)), len(groups))
    marks = {member: work.mark(member, body.by) for member in team.members}
    marked = by_mark(marks, *_values(groups))
    others = [(member, True) for member in team.members if member not in marked]
    return groups, balanced(loads, len(groups), others, held=marked, settled=True, weights=weights)


def _of_each_value(by: str, team: TeamToSplit, work: Carried) -> list[PartOfTeam]:
    if by != "region":
        raise Invalid.at("/groups", f"say which group has which {by}s: each with a name and values")
    found = sorted({mark for member in team.members if (mark := work.mark(member, by)) is not None})
    return [PartOfTeam(name=each, values=[each]) for each in found]


def _values(groups: list[PartOfTeam]) -> tuple[dict[str, int], int | None]:
    """The place of each value's group, and of the group for the rest."""
    places: dict[str, int] = {}
    for place, group in enumerate(groups):
        for at, value in enumerate(group.values):
            if value in places:
                raise Invalid.at(f"/groups/{place}/values/{at}", f"{value} is in another group already")
            places[value] = place
    rest = [place for place, group in enumerate(groups) if not group.values]
    if len(rest) > 1:
        raise Invalid.at(f"/groups/{rest[1]}/values", "one group at most has the rest; say what this one has")
    return places, rest[0] if rest else None


def _named(groups: list[PartOfTeam], team: TeamToSplit) -> list[PartOfTeam]:
    """The groups with their names and ids; those that are not named are numbered."""
    named = []
    for place, each in enumerate(groups):
        known = team.groups.get(each.group or "")
        if each.group is not None and known is None:
            raise Invalid.at(f"/groups/{place}/group", f"the team {team.id} has no group {each.group}")
        name = each.name or (known.name if known else f"{team.name} {place + 1}")
        named.append(each.model_copy(update={"name": name, "group": known.id if known else None}))
        if [other.name for other in named].count(name) > 1:
            raise Invalid.at(f"/groups/{place}/name", f"another group of the split is called {name!r}")
    return named


def _shown(
    body: SplitTeam, team: TeamToSplit, work: Carried, groups: list[PartOfTeam], split: dict[str, int],
    principal: Principal,
) -> dict[str, Any]:  # fmt: skip
    sees_skills = principal.may("skills:write") or (principal.member is not None and principal.member == team.leader)
    loads = [load for load in work.loads(team) if load.member in split]
    found = imbalance(loads, split, len(groups))
    by_chance = random_imbalance(loads, len(groups), Random(body.seed).shuffle)
    return {
        "team": team.id, "by": body.by, "on": team.on, "until": team.until, "dry_run": body.dry_run,
        "groups": [
            _group(each, team, work, [load for load in loads if split[load.member] == place], sees_skills)
            for place, each in enumerate(groups)
        ],
        "imbalance": {
            "largest": f"{rounded(max(found.values())):f}" if found else None,
            "by_measure": {measure: f"{rounded(value):f}" for measure, value in found.items()},
            "random": f"{rounded(by_chance):f}", "draws": DRAWS, "seed": body.seed,
        },
        "notes": work.notes + ([] if sees_skills else ["skills are shown to who leads the team or assesses skills"]),
    }  # fmt: skip


def _group(group: PartOfTeam, team: TeamToSplit, work: Carried, loads: list[Load], sees_skills: bool) -> dict[str, Any]:
    members = [load.member for load in loads]
    skills = {skill: sum(load.skills.get(skill, 0) for load in loads) for load in loads for skill in load.skills}
    return {
        "group": group.group,
        "name": group.name,
        "members": members,
        "stay": sum(group.group in team.in_groups[member] for member in members),
        **work.sums(members),
        "skills": dict(sorted(skills.items())) if sees_skills else None,
        "ramp": plain(rounded(sum((load.ramp for load in loads), Fraction(0)))),
    }


async def _refuse_if_changed(tx: Tx, ref: str, body: SplitTeam, before: TeamToSplit) -> None:
    # Two who split a team at the same moment wait here for each other.
    await tx.load(Team, before.id)
    await tx.foresee(Member, before.members, change=True)
    team = await team_to_split(tx, ref, body.on, body.period)
    if (team.members, team.in_groups, team.on) != (before.members, before.in_groups, before.on):
        raise MembersHaveChanged(on=before.on)


async def _carry_out(tx: Tx, team: TeamToSplit, groups: list[PartOfTeam], split: dict[str, int]) -> list[str]:
    """Make the groups that there are not yet and let everybody join theirs; their ids."""
    made = []
    for each in groups:
        if each.group is None:
            group, formed = Group.form(name=each.name or "", team=team.id, id=new_id(Group.prefix))
            made.append(tx.save(group, formed).id)
        else:
            made.append(each.group)
    for ref in sorted(split):
        member, to = await tx.load(Member, ref), made[split[ref]]
        held = [each["of"] for each in member.groups if each["team"] == team.id and covers(each, team.on)]
        for group in (each for each in held if each != to):
            tx.save(member, member.leave_team(team.id, team.on, group))
        if to not in held:
            tx.save(member, member.join(team.id, team.on, to))
    return made
