"""`/v1/credit-changes`: other credits for won deals, which take effect when two others have approved them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from services.targets.api.asking import who_asks
from services.targets.api.deals import Credited, shares_of
from services.targets.api.invoices import invoiced
from services.targets.domain.credit_changes import CreditChange
from services.targets.domain.deals import Deal
from shared.errors import Invalid
from shared.http.bodies import Body, Named, Ref, Text
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.problems import parse
from shared.http.writes import Answer, expect, write
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.known import today
from shared.store import Tx

router = APIRouter(tags=["credit-changes"])
_APPROVE = require("credit-approvals:write")
_change = CreditChange.__table__.c  # type: ignore[attr-defined]
_OF_DEAL = sa.select(CreditChange).where(_change.deal == sa.bindparam("deal")).order_by(_change.id)


def _on_day(change: Any, day: date) -> dict[str, Any] | None:
    if day < change.proposed_on:
        return None
    known = {"approvals": [each for each in change.approvals if each["on"] <= day.isoformat()]}
    if change.decided_on is not None and day < change.decided_on:
        return known | {"status": "proposed", "decided_on": None, "decided_by": None, "refusal": None}
    return known


async def _by_id(tx: Tx, credits: Any) -> list[dict[str, Any]]:
    found = await shares_of(tx, [Credited(**each) for each in credits])
    return [{"member": member, "share": str(share)} for member, share in found]


credit_changes = Collection(
    CreditChange,
    "credit-changes",
    filters={"deal": "deal", "status": "status"},
    refs={"deal": Deal},
    on_day=_on_day,
    resolved={"credits": _by_id},
)


class ProposeCredits(Named):
    """Who is to be credited for a won deal instead, and why."""

    deal: Ref = Field(examples=["ext:hubspot:9087"])
    credits: list[Credited] = Field(min_length=1, max_length=100, description="all of them; their shares sum to 1")
    reason: Text = Field(description="stays here: no event carries it")
    since: Day | None = Field(
        default=None, description="from which day it holds; the day of the second approval if it is not said"
    )


class ApproveCredits(Body):
    """The day on which somebody agrees."""

    on: Day | None = None


class RefuseCredits(Body):
    """Why somebody does not agree, and when."""

    reason: Text
    on: Day | None = None


class WithdrawCredits(Body):
    """The day on which it was not wanted any more."""

    on: Day | None = None


@credit_changes.create
async def propose_credits(tx: Tx, body: ProposeCredits) -> CreditChange:
    """Propose other credits for a won deal; they take effect when two others have approved them."""
    # The deal is locked, so that two proposals cannot both see that there is none.
    deal = await tx.seek(Deal, body.deal)
    if deal is None:
        raise Invalid.at("/deal", f"there is no deal {body.deal}")
    proposed = CreditChange.propose(
        deal, await shares_of(tx, body.credits), reason=body.reason, since=body.since, on=await today(tx),
        by=who_asks(tx), others=await tx.all(CreditChange, _OF_DEAL, deal=deal.id), **fresh(CreditChange, body),
    )  # fmt: skip
    return tx.save(*proposed)


@credit_changes.verb("withdraw")
async def withdraw_credits(tx: Tx, change: CreditChange, body: WithdrawCredits) -> CreditChange:
    """Take back what one has proposed; it stays on record."""
    return tx.save(change, change.withdraw(body.on or await today(tx), who_asks(tx)))


async def _approved(tx: Tx, change: CreditChange, body: ApproveCredits) -> CreditChange:
    on, deal = body.on or await today(tx), await tx.load(Deal, change.deal)
    tx.save(change, change.approve(deal, on, who_asks(tx)))
    if change.status == "approved":
        asked, since = await invoiced(tx, deal), change.since or on
        tx.save(deal, deal.credit(since, change.shares, change.reason, asked, by=change.subject))
    return change


async def _refused(tx: Tx, change: CreditChange, body: RefuseCredits) -> CreditChange:
    return tx.save(change, change.refuse(body.on or await today(tx), who_asks(tx), body.reason))


@router.post(
    "/v1/credit-changes/{ref}/approve",
    operation_id="approve_credit_change",
    openapi_extra=described(_APPROVE, ApproveCredits, {200: credit_changes.read}, missing=True),
)
async def approve_credits(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_APPROVE)]
) -> Response:
    """Agree to other credits: a person who has neither proposed them nor gains by them. With the second approval the
    deal is amended."""
    return await _judge(request, ref, principal, ApproveCredits, _approved)


@router.post(
    "/v1/credit-changes/{ref}/refuse",
    operation_id="refuse_credit_change",
    openapi_extra=described(_APPROVE, RefuseCredits, {200: credit_changes.read}, missing=True),
)
async def refuse_credits(
    request: Request, ref: Reference, principal: Annotated[Principal, Depends(_APPROVE)]
) -> Response:
    """Not agree to other credits, and say why; who has proposed them withdraws them instead."""
    return await _judge(request, ref, principal, RefuseCredits, _refused)


async def _judge(
    request: Request, ref: str, principal: Principal, model: type[Body], act: Callable[..., Any]
) -> Response:
    raw = await request.body()
    body = parse(model, raw or b"{}")

    async def decide(tx: Tx) -> Answer:
        # The deal comes first, as with a proposal, so that two who judge at once do not wait for each other.
        await tx.load(Deal, (await tx.get(CreditChange, ref)).deal)
        change = await tx.load(CreditChange, ref)
        expect(request, change)
        return await credit_changes.answer(tx, await act(tx, change, body), 200, principal)

    return await write(request, principal, decide, body=raw)
