"""`/v1/feedback`: how content customers say they are."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from services.targets.domain.customers import Customer
from services.targets.domain.deals import Deal
from services.targets.domain.feedback import Feedback
from shared.errors import Invalid
from shared.http.bodies import Body, Named, Ref, Text
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.known import KnownMember, KnownTeam, known, today
from shared.store import Tx


def _on_day(answer: Any, day: date) -> dict[str, Any] | None:
    if day < answer.on:
        return None
    gone = answer.withdrawn_on is not None and day < answer.withdrawn_on
    return {"withdrawn_on": None} if gone else {}


feedback = Collection(
    Feedback,
    "feedback",
    filters={"customer": "customer", "deal": "deal", "member": "member", "team": "team"},
    refs={"customer": Customer, "deal": Deal, "member": KnownMember, "team": KnownTeam},
    on_day=_on_day,
)


class GiveFeedback(Named):
    """A customer's answer: 1 is the worst and 5 the best; 4 and 5 are content."""

    customer: Ref
    score: Annotated[int, Field(ge=1, le=5, strict=True)]
    recommends: Annotated[int, Field(ge=0, le=10, strict=True)] | None = Field(
        default=None, description="how likely they are to recommend us: 9 and 10 do, 0 to 6 do not"
    )
    on: Day | None = None
    deal: Ref | None = Field(default=None, description="the deal it is about")
    member: Ref | None = Field(default=None, description="who looked after them; the deal's owner if not given")
    comment: Text | None = Field(default=None, description="stays here: no event carries it")


class WithdrawFeedback(Body):
    """The day on which an answer was found to be none."""

    on: Day | None = None


@feedback.create
async def give_feedback(tx: Tx, body: GiveFeedback) -> Feedback:
    """Note a customer's answer."""
    on = body.on or await today(tx)
    customer = await tx.seek_unlocked(Customer, body.customer)
    if customer is None:
        raise _unknown("/customer", f"there is no customer {body.customer}")
    deal = await tx.seek_unlocked(Deal, body.deal) if body.deal else None
    if body.deal and deal is None:
        raise _unknown("/deal", f"there is no deal {body.deal}")
    member = await known(tx, KnownMember, body.member, "/member") if body.member else None
    if member is None and deal is not None:
        member = await tx.recall(KnownMember, deal.owner)
    team = deal.team if deal is not None else member.team_on(on) if member is not None else None
    answer, told = Feedback.answer(
        customer=customer.merged_into or customer.id, score=body.score, on=on,
        deals_customer=deal.customer if deal is not None else None,
        deal=deal.id if deal is not None else None, member=member.id if member is not None else None, team=team,
        comment=body.comment, recommends=body.recommends, **fresh(Feedback, body),
    )  # fmt: skip
    return tx.save(answer, told)


@feedback.verb("withdraw", undoes=True)
async def withdraw_feedback(tx: Tx, answer: Feedback, body: WithdrawFeedback) -> Feedback:
    """Take an answer back."""
    return tx.save(answer, answer.withdraw(body.on or await today(tx)))


def _unknown(at: str, detail: str) -> Invalid:
    return Invalid.at(at, detail)
