"""`/v1/scorecards/challenges/{id}`: how far a team or a group has come with what it set itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.facts.support import ChallengeFact
from services.metrics.views.challenges import standing_of
from services.metrics.views.frame import Reading
from services.metrics.views.question import Question
from services.metrics.views.shown import house_of, today_of
from shared.errors import NotFound
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.identity.permissions import require
from shared.period import Period
from shared.store import Snapshot

router = APIRouter(tags=["scorecards"])
_READ = require("scorecards:read")


class ChallengeStanding(BaseModel):
    """A challenge and how far it has come; never who has done how much of it."""

    challenge: str
    team: str
    group: str | None
    goal: str | None
    start: date = Field(alias="from")
    to: date
    over_on: date | None
    reached: bool | None
    progress: str | None = Field(description="achieved of what is due on its days; the mean where it has several aims")
    by: list[dict[str, Any]] = Field(description="its aims, each with its metric, value, what is achieved and progress")


@router.get(
    "/v1/scorecards/challenges/{ref}",
    operation_id="read_challenge_standing",
    openapi_extra=described(_READ, None, {200: ChallengeStanding}, missing=True),
    dependencies=[Depends(_READ)],
)
async def read_challenge_standing(
    request: Request,
    ref: Annotated[str, Path(description="our id, or `ext:<source>:<id>`")],
    after: Annotated[list[str], Query(description="wait until these versions are here; repeatable")] = [],  # noqa: B006
    prefer: Annotated[str | None, Header(description="`wait=<seconds>`, default 5, at most 30")] = None,
) -> Response:
    """How far a challenge has come today, by what its team or group aims at under its goal."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        challenge = await snapshot.look_up(ChallengeFact, ref) if ref.isprintable() else None
        if challenge is None or challenge.start is None or challenge.end is None:
            raise NotFound(f"There is no challenge {ref} here (yet).")
        house, today = await house_of(snapshot), await today_of(snapshot)
        days = Period.between(challenge.start, challenge.end)
        question = Question(days, today, currency=house.currency, first_month=house.first_month, zone=house.zone)
        return await standing_of(Reading(snapshot, question), challenge)

    found = await runtime_of(request).progress.read(tokens_of(after), patience_of(prefer), query)
    return Response(to_json(found), media_type="application/json")
