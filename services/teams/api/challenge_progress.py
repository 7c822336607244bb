"""`/v1/challenges/{id}/progress`: how far it has come, which metrics knows."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.teams.domain.recognitions import Challenge
from shared.errors import Overloaded
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.store import Snapshot

router = APIRouter(tags=["challenges"])
_READ = require("challenges:read")
AMOUNTS = "targets:read"
"""Whoever may not see targets sees how far they are reached, and not what is aimed at and achieved."""


class ChallengeProgress(BaseModel):
    """How far a team or a group has come with a challenge; never who has done how much of it."""

    challenge: str
    team: str
    group: str | None
    goal: str | None
    start: date = Field(alias="from")
    to: date
    over_on: date | None
    reached: bool | None
    progress: str | None = Field(
        description="achieved ÷ what is due on its days of what the team or group aims at under its goal, or of the "
        "goal's own value; the mean where it has several aims; null while nothing tells"
    )
    by: list[dict[str, Any]] = Field(
        description="its aims, each with its metric, value, what is achieved and progress; amounts for who sees targets"
    )


@router.get(
    "/v1/challenges/{ref}/progress",
    operation_id="progress_of_challenge",
    openapi_extra=described(_READ, None, {200: ChallengeProgress}, missing=True),
)
async def progress_of_challenge(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]
) -> Response:
    """How far a team or a group has come towards the goal of its challenge."""

    async def query(snapshot: Snapshot) -> Challenge:
        return await snapshot.get(Challenge, ref)

    runtime = runtime_of(request)
    challenge = await runtime.store.read(query)
    found = await _asked(runtime.extras["neighbours"], challenge)
    if not principal.may(AMOUNTS):
        found["by"] = [each | {"value": None, "achieved": None} for each in found["by"]]
    return Response(as_json(found), media_type="application/json")


async def _asked(neighbours: Any, challenge: Challenge) -> dict[str, Any]:
    """What metrics says of a challenge as it is now. Raises Overloaded while it does not."""
    path, after = f"/v1/scorecards/challenges/{challenge.id}", f"{challenge.subject}@{challenge.version}"
    try:
        answer = await neighbours.get("metrics", path, wait=3, after=after)
        answer.raise_for_status()
    except httpx.HTTPError as silent:
        raise Overloaded("How far it has come is not known: metrics does not answer; ask again.") from silent
    found: dict[str, Any] = answer.json()
    return found
