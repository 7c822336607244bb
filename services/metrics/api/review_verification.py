"""`/v1/reviews/{id}/verification`: how the effect of an action is judged, fixed before it starts; what came of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.api.review_effects import effect_of
from services.metrics.api.review_opening import reviews
from services.metrics.api.review_plans import PlanVerification, plan_of, pooling_of
from services.metrics.domain.review_refusals import NothingDecided, TeachesTwice
from services.metrics.domain.reviews import Review
from services.metrics.views.shown import today_of
from shared.http.bodies import Body
from shared.http.collection import Reference
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.store import Snapshot, Tx

_READ = require("reviews:read")
__all__ = ["reviews"]


class Verified(BaseModel):
    """What came of it so far, and how sure that is."""

    plan: dict[str, Any]
    until: date = Field(description="the first day after the weeks in which the effect shows")
    weeks: dict[str, int]
    carried_out: dict[str, Any] = Field(description="planned against done, step by step")
    estimate: dict[str, Any] | None
    lot: dict[str, Any] | None = Field(description="of teams that start by lot: the change, and its P")
    balance: list[dict[str, Any]] = Field(description="what must not get worse, before and after")
    verdict: str
    note: str | None
    learned: dict[str, Any] | None = Field(description="what the option may be expected to do from now on")
    updated_effects: dict[str, Any]
    judged: dict[str, Any] | None = Field(description="the verdict as it was recorded, with what it stood on")


class JudgeEffect(Body):
    """Nothing needs to be said: the plan says how the effect is judged, and when."""


@reviews.verb("verification")
async def plan_verification(tx: Tx, review: Review, body: PlanVerification) -> Review:
    """Fix how the effect of what was decided is judged; refused without weeks for a baseline."""
    if not review.decided:
        raise NothingDecided
    if (other := await pooling_of(tx, review)) is not None:
        raise TeachesTwice(review=other)
    plan = await plan_of(tx, review, review.decided, body, body.starts_on)
    today = await today_of(tx, tx.now)
    return tx.save(review, review.freeze(plan, starts_on=body.starts_on, weeks=body.weeks, planned_on=today))


# What was only extended is judged again, so judging once more is not a repetition.
@reviews.verb("judge", undoes=True)
async def judge_effect(tx: Tx, review: Review, body: JudgeEffect) -> Review:
    """Record the verdict once its weeks are over; what cannot be told from chance is watched 13 weeks more, once."""
    return await judge(tx, review, await today_of(tx, tx.now))


async def judge(tx: Tx, review: Review, today: date) -> Review:
    """Record what became of what was decided."""
    review.refuse_to_judge(today)
    return tx.save(review, review.judge(await _verdict(tx, review, today), today))


@reviews.router.get("/{ref}/verification", operation_id="verify_review",
                    openapi_extra=described(_READ, None, {200: Verified}, missing=True, conflict=True))  # fmt: skip
async def verify_review(request: Request, ref: Reference, principal: Annotated[Principal, Depends(_READ)]) -> Response:
    """Whether what was done worked, so far as that can be said today."""

    async def query(snapshot: Snapshot) -> dict[str, Any]:
        review = await reviews.for_reader(snapshot, await snapshot.get(Review, ref), ref, principal)
        return await effect_of(snapshot, review, await today_of(snapshot))

    found = await runtime_of(request).store.read(query)
    return Response(to_json(found), media_type="application/json")


async def _verdict(snapshot: Snapshot, review: Review, today: date) -> dict[str, Any]:
    """What is recorded of an effect: of too few weeks it cannot be told from chance."""
    found = await effect_of(snapshot, review, today)
    said = "inconclusive" if found["verdict"] == "not yet known" else found["verdict"]
    kept = {name: found[name] for name in ("estimate", "lot", "carried_out", "balance", "weeks", "learned")}
    return {"verdict": said, **kept}
