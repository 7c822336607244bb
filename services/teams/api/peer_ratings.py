"""`/v1/peer-rounds/{id}/ratings` and `/opt-out`: what a member says of a team mate, and who does not want to be rated.

Neither is a verb of a round: it is no version, tells nothing, and keeps no answer under an `Idempotency-Key`, for any
of these would say who said something of whom, and when.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.teams.api.organisation import today
from services.teams.api.peers import there_on
from services.teams.api.references import sought
from services.teams.domain.members import Member
from services.teams.domain.peers import LEAST, MOST, QUESTIONS, PeerRound, RatedSoAlready
from services.teams.peer_tokens import (
    PeerKey,
    PeerRating,
    PeerRefusal,
    forget_about,
    token_of,
    unwilling_in,
)
from shared.errors import Forbidden
from shared.http.bodies import Body, Ref
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.heard import decided
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require
from shared.instant import now
from shared.store import Context, Job, Tx

router = APIRouter(tags=["peer-rounds"])
_WRITE = require("peer-rounds:write")
Writer = Annotated[Principal, Depends(_WRITE)]
_Answer = Annotated[int, Field(strict=True, ge=LEAST, le=MOST)]


class Said(Body):
    """How much each is true of a team mate: 1 is not at all, 5 fully. All three are said."""

    P1: _Answer = Field(description=QUESTIONS["P1"])
    P2: _Answer = Field(description=QUESTIONS["P2"])
    P3: _Answer = Field(description=QUESTIONS["P3"])


class RateTeamMate(Body):
    """Of whom, and by each question how much."""

    about: Ref
    answers: Said = Field(examples=[{"P1": 4, "P2": 5, "P3": 4}])


class OptOut(Body):
    """Whether to be rated in this round; both can be said as long as it is open."""

    rated: bool = Field(description="false: what was said so far is gone, and nothing more is taken; true: again")


class Rated(BaseModel):
    """That something has been taken."""

    round: str
    taken: bool = True


@router.post("/v1/peer-rounds/{ref}/ratings", operation_id="rate_team_mate",
             openapi_extra=described(_WRITE, RateTeamMate, {200: Rated}, missing=True))  # fmt: skip
async def rate_team_mate(request: Request, ref: Reference, principal: Writer) -> Response:
    """Say how a team mate works with others, without a name; who says it again before it closes replaces it."""
    body = parse(RateTeamMate, await request.body())
    return await _taken(request, principal, lambda tx, rater: _rate(tx, ref, rater, body))


@router.post("/v1/peer-rounds/{ref}/opt-out", operation_id="opt_out_of_peer_round",
             openapi_extra=described(_WRITE, OptOut, {200: Rated}, missing=True))  # fmt: skip
async def opt_out_of_peer_round(request: Request, ref: Reference, principal: Writer) -> Response:
    """Not be rated in a round: what was said of the member so far is gone."""
    body = parse(OptOut, await request.body())
    return await _taken(request, principal, lambda tx, member: _opt_out(tx, ref, member, rated=body.rated))


async def _taken(request: Request, principal: Principal, take: Callable[[Tx, str], Awaitable[str]]) -> Response:
    member = principal.member
    if member is None:
        raise Forbidden("Members speak for themselves in a round; this token is none of a member.")

    async def decide(tx: Tx) -> str:
        return await take(tx, member)

    # Not as other writes are: an Idempotency-Key would keep who sent which body.
    found = await decided(runtime_of(request), Job(decide, Context(now())))
    return Response(as_json({"round": found, "taken": True}), media_type="application/json")


async def _rate(tx: Tx, ref: str, rater: str, body: RateTeamMate) -> str:
    # Locked, so that nobody answers while it closes; it becomes no other version.
    found = await tx.load(PeerRound, ref)
    about: Member = await sought(tx, Member, body.about, "/about")
    there = await there_on(tx, found.team, found.opens_on)
    found.judge(rater, about.id, there, await unwilling_in(tx, found.id), await today(tx))
    key = await tx.find(PeerKey, found.id)
    assert key is not None, "a round that is open has its key"
    token, answers = token_of(key.key, rater, about.id), body.answers.model_dump()
    before = await tx.find(PeerRating, found.id, token)
    if before is not None and before.answers == answers:
        raise RatedSoAlready
    tx.put(PeerRating.make(round=found.id, token=token, about=about.id, answers=answers))
    return found.id


async def _opt_out(tx: Tx, ref: str, member: str, *, rated: bool) -> str:
    found = await tx.load(PeerRound, ref)
    found.admit(member, await there_on(tx, found.team, found.opens_on), await today(tx))
    row = PeerRefusal.make(round=found.id, member=member)
    if rated:
        tx.remove(row)
    else:
        tx.put(row)
        await forget_about(tx, member, found.id)
    return found.id
