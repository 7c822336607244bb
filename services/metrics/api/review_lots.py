"""`/v1/reviews/draw`: several teams do the same, one after the other, in an order drawn by lot."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.metrics.api.review_plans import Judging
from services.metrics.api.review_verification import reviews
from services.metrics.api.reviews import Decide, decided
from services.metrics.domain.reviews import Review
from services.metrics.review.verification import CHANCE, deal
from shared.errors import Invalid
from shared.http.bodies import Body, Ref, Text
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, as_json, write
from shared.identity.permissions import Principal, require
from shared.ids import fingerprint
from shared.instant import Day
from shared.store import Tx

_WRITE = require("reviews:write")
__all__ = ["reviews"]


class DrawStarts(Body):
    """What several teams will do, and from when on the first of them does."""

    reviews: list[Ref] = Field(
        min_length=2,
        max_length=12,
        examples=[["ext:oar:north-q3", "ext:oar:west-q3"]],
        description="of different teams, each not decided on yet",
    )
    options: list[str] = Field(min_length=1, max_length=5, examples=[["O3"]])
    first: Day = Field(description="when the first team starts")
    every_weeks: int = Field(default=2, ge=1, le=8, description="so much later the next one starts")
    reason: Text | None = None
    on: Day | None = None
    responsible: Ref | None = Field(default=None, description="who sees to it; who leads each team, if not said")
    verification: Judging = Judging()


class Drawn(BaseModel):
    """Which team starts when, and what the order was drawn by."""

    seed: str = Field(description="of what the reviews found: nobody chooses it, everybody can draw again")
    reviews: list[dict[str, Any]] = Field(description="each review with the day its team starts")
    note: str | None


@reviews.router.post("/draw", operation_id="draw_starts",
                     openapi_extra=described(_WRITE, DrawStarts, {200: Drawn}, conflict=True))  # fmt: skip
async def draw_starts(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Decide the same on several reviews, each team starting in a week drawn by lot."""
    raw = await request.body()
    body = parse(DrawStarts, raw)

    async def decide(tx: Tx) -> Answer:
        found = [await reviews.loaded(tx, ref, principal) for ref in body.reviews]
        lot = _lot(found, body)
        for review in found:
            starts_on = date.fromisoformat(lot["starts"][review.team])
            said = Decide(options=body.options, reason=body.reason, on=body.on, starts_on=starts_on,
                          responsible=body.responsible, verification=body.verification)  # fmt: skip
            await decided(tx, review, said, lot)
        rows = [{"review": each.id, "team": each.team, "starts_on": lot["starts"][each.team]} for each in found]
        return Answer(200, as_json({"seed": lot["seed"], "reviews": rows, "note": lot["note"]}))

    return await write(request, principal, decide, body=raw)


def _lot(found: list[Review], body: DrawStarts) -> dict[str, Any]:
    """Which team starts when; the order depends on what the reviews found and on nothing that is sent."""
    for place, each in enumerate(found):
        if each.team in {other.team for other in found[:place]}:
            raise Invalid.at(f"/reviews/{place}", "a team starts once; this is its second review here")
    ordered = sorted(found, key=lambda each: each.team)
    seed = fingerprint("".join(each.result_hash for each in ordered).encode())
    order = deal(range(len(ordered)), seed)
    days = [body.first + timedelta(weeks=body.every_weeks * place) for place in order]
    starts = {review.team: day.isoformat() for review, day in zip(ordered, days, strict=True)}
    return {"seed": seed, "every_weeks": body.every_weeks, "starts": starts, "note": _note(len(found))}


def _note(teams: int) -> str | None:
    lots = 1
    for each in range(2, teams + 1):
        lots *= each
    if 1 / lots <= CHANCE:
        return None
    return f"of {teams} teams there are {lots} lots, so that even the best one can be chance; take four teams at least"
