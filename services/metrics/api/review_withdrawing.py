"""`/v1/reviews/{id}/withdraw` and `/answer`: what was decided is taken back, and who objected is answered."""

from __future__ import annotations

from pydantic import Field

from services.metrics.api.carrying_out import carried_out
from services.metrics.api.review_opening import reviews
from services.metrics.api.review_plans import pooling_of
from services.metrics.domain.reviews import Review
from services.metrics.views.shown import today_of
from shared.http.bodies import Body, Text
from shared.store import Tx

__all__ = ["reviews"]


class WithdrawDecision(Body):
    """Why what was decided is not done after all."""

    reason: Text = Field(min_length=1)


class AnswerObjection(Body):
    """What is answered to an objection, and whether the review says something else because of it."""

    objection: int = Field(ge=1, description="its number, as the comments of the review show it")
    text: Text = Field(min_length=1)
    changed: bool = Field(default=False, description="a later revision says something else because of it")


@reviews.verb("withdraw", undoes=True)
async def withdraw_decision(tx: Tx, review: Review, body: WithdrawDecision) -> Review:
    """Take back what was decided before it is carried out; what was made of it in meetings and teams goes with it."""
    today = await today_of(tx, tx.now)
    begun = next((each for each in await carried_out(tx, review, today) if each.done), None)
    done = {name: getattr(begun, name) for name in ("done", "planned", "what", "option")} if begun else None
    withdrawn = review.withdraw(
        body.reason, on=today, by=tx.context.member, done=done, together_with=await pooling_of(tx, review)
    )
    return tx.save(review, withdrawn)


@reviews.verb("answer")
async def answer_objection(tx: Tx, review: Review, body: AnswerObjection) -> Review:
    """Answer an objection of the team, as one who decides on reviews."""
    on = await today_of(tx, tx.now)
    answered = review.answer(body.objection, body.text, changed=body.changed, on=on, by=tx.context.member)
    return tx.save(review, answered)
