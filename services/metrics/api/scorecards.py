"""`/v1/scorecards` and `/v1/associations`: how somebody is doing, and who has to do with whom, for whom it is meant."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import to_json

from services.metrics.api.reviews import readable, sight_of
from services.metrics.facts.teams import MemberFact, TeamFact
from services.metrics.review.catalogue import MEASURES
from services.metrics.review.finding import Finding, find
from services.metrics.review.reading.before import before_of, rules_of
from services.metrics.review.reading.inputs_of import inputs_of
from services.metrics.review.seen import Sight, of_outside, shared, without_names
from services.metrics.review.written import associations, shown_value
from services.metrics.views.shown import question_of
from shared.asked_period import AskedPeriod, asked_period
from shared.errors import NotFound
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.store import Snapshot

# Who asks comes first in every route: nothing is said of what was sent to somebody without a token.
router = APIRouter(tags=["scorecards"])
_CARDS, _GRAPH = require("scorecards:read"), require("associations:read")
Asked = Annotated[AskedPeriod, Depends(asked_period)]
Reference = Annotated[str, Path(description="our id, or `ext:<source>:<id>`")]


class Scorecard(BaseModel):
    """The measures of a team or a member in a period, each with what it means."""

    ref: str
    team: str
    period: dict[str, Any]
    measures: dict[str, Any]


class Associations(BaseModel):
    """Who of a team has to do with whom, what work needed, and what the whole of it tells."""

    team: str
    period: dict[str, Any]
    associations: dict[str, Any]


@router.get("/v1/scorecards/teams/{ref}", operation_id="read_team_scorecard",
            openapi_extra=described(_CARDS, None, {200: Scorecard}, missing=True))  # fmt: skip
async def read_team_scorecard(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_CARDS)], period: Asked
) -> Response:
    """How a team works and what it achieves: its process, its results, the two indices."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        return await team_card(snapshot, ref, period, principal)

    return _json(await runtime_of(request).store.read(query))


@router.get("/v1/scorecards/members/{ref}", operation_id="read_member_scorecard",
            openapi_extra=described(_CARDS, None, {200: Scorecard}, missing=True))  # fmt: skip
async def read_member_scorecard(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_CARDS)], period: Asked
) -> Response:
    """How a member contributes: for the member and who leads their team, for nobody else."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        return await member_card(snapshot, ref, period, principal)

    return _json(await runtime_of(request).store.read(query))


@router.get("/v1/associations", operation_id="read_associations",
            openapi_extra=described(_GRAPH, None, {200: Associations}, missing=True))  # fmt: skip
async def read_associations(
    request: Request,
    principal: Annotated[Principal, Depends(_GRAPH)],
    period: Asked,
    team: Annotated[str, Query(description="of this team")],
) -> Response:
    """Who of a team has to do with whom: with names for the team and its leader, without for others."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        fact, sight = await _team(snapshot, team, principal)
        found, dates = await _found(snapshot, fact, period)
        graph = associations(found, {})
        return {"team": fact.id, "period": dates, "associations": without_names(graph) if sight == "outside" else graph}

    return _json(await runtime_of(request).store.read(query))


async def team_card(snapshot: Snapshot, ref: str, asked: AskedPeriod, reader: Principal) -> dict[str, Any]:
    """The measures of a team. Raises NotFound for who may not see it."""
    team, sight = await _team(snapshot, ref, reader)
    found, dates = await _found(snapshot, team, asked)
    measures = _measures(found.team)
    if sight == "outside":
        measures = of_outside(measures, found.rules.survey.outside)
    return {"ref": team.id, "team": team.id, "period": dates, "measures": measures}


async def member_card(snapshot: Snapshot, ref: str, asked: AskedPeriod, reader: Principal) -> dict[str, Any]:
    """The measures of a member, and how many there are in the team. Raises NotFound for who may not see them."""
    member, team = await _member(snapshot, ref, asked, reader)
    found, dates = await _found(snapshot, team, asked)
    values = found.members[member] if reader.member == member else shared(found.members[member])
    return {"ref": member, "team": team.id, "period": dates, "measures": _measures(values)}


async def _team(snapshot: Snapshot, ref: str, reader: Principal) -> tuple[TeamFact, Sight]:
    """A team, and how much of it the reader sees; of another's team a member who manages nobody sees nothing."""
    team = await snapshot.look_up(TeamFact, ref) if ref.isprintable() else None
    if team is None:
        raise NotFound(f"There is no team {ref} here (yet).")
    sight = await sight_of(snapshot, team.id, reader)
    if sight == "outside" and await readable(snapshot, reader) is not None:
        raise NotFound(f"There is no team {ref} here (yet).")
    return team, sight


async def _member(snapshot: Snapshot, ref: str, period: AskedPeriod, reader: Principal) -> tuple[str, TeamFact]:
    """A member and the team they were in at the end; raises NotFound for whoever may not see them."""
    member = await snapshot.look_up(MemberFact, ref) if ref.isprintable() else None
    days = (await question_of(snapshot, period, {})).period
    place = member.team_on(days.end) or member.team_on(days.start) if member else None
    team = await snapshot.recall(TeamFact, place) if place else None
    if member is None or team is None:
        raise NotFound(f"There is no member {ref} with a team in this period.")
    if reader.member != member.id and await sight_of(snapshot, team.id, reader) != "whole":
        raise NotFound(f"There is no member {ref} with a team in this period.")
    return member.id, team


async def _found(snapshot: Snapshot, team: TeamFact, asked: AskedPeriod) -> tuple[Finding, dict[str, Any]]:
    question = await question_of(snapshot, asked, {})
    rules = await rules_of(snapshot)
    before = await before_of(snapshot, team.id, question.period.start)
    found = find(await inputs_of(snapshot, team, question, rules, before), rules)
    period = question.period
    return found, {"label": period.label, "from": period.start, "to": period.end}


def _measures(values: Any) -> dict[str, Any]:
    return {
        name: shown_value(values[name])
        | {"name": MEASURES[name].name, "cell": MEASURES[name].cell, "unit": MEASURES[name].unit,
           "definition": MEASURES[name].definition, "formula": MEASURES[name].formula, "guard": MEASURES[name].guard}
        for name in sorted(values)
    }  # fmt: skip


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")
