"""`/v1/handovers`: customers and open deals whose owner has left or moved, and handing them over in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from services.targets.domain.customers import Customer
from services.targets.domain.deals import Deal
from shared.errors import Invalid, Refused
from shared.handovers import Held, Sale, customer_held
from shared.http.bodies import Body, Ref
from shared.http.documents import described
from shared.http.pages import asked_only
from shared.http.problems import parse
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, batch_headers, new_batch, write
from shared.identity.permissions import Principal, forbidden, require
from shared.instant import Day, now
from shared.known import KnownMember, KnownTeam, known, local_day
from shared.membership import end_of, on_day
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf

router = APIRouter(tags=["customers"])
_READ, _WRITE = require("deals:read"), require("deals:write")
_deal = Deal.__table__.c  # type: ignore[attr-defined]
_customer = Customer.__table__.c  # type: ignore[attr-defined]
_member = KnownMember.__table__.c  # type: ignore[attr-defined]
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_OPEN = sa.select(Deal).where(OneOf(_deal.owner, "members"), _deal.status == sa.literal_column("'open'"))
_SERVED = sa.select(_deal.customer).distinct().where(OneOf(_deal.owner, "members"), _deal.customer.is_not(None))
_EVER = sa.select(Customer).where(_customer.owners != [])
_OF_CUSTOMERS = sa.select(
    _deal.customer, _deal.id, _deal.owner, _deal.team, _deal.opened_on, _deal.closed_on,
    _deal.status == sa.literal_column("'won'"), _deal.owners,
).where(OneOf(_deal.customer, "customers"), _deal.status != sa.literal_column("'lost'"))  # fmt: skip
_CUSTOMERS = sa.select(Customer).where(OneOf(_customer.id, "customers"))


class OwnerDoesNotWorkHere(Refused):
    """{member} does not work here on {day}; hand it over to somebody who does."""

    status = 422


class NotTheirs(Refused):
    """{ref} is not with {member} on {day}, but with {owner}."""

    status = 422


class NothingToHandOver(Refused):
    """{member} has no customer and no open deal on {day}."""


class HandoverShown(BaseModel):
    """A customer or an open deal that is to be handed over."""

    kind: Literal["customer", "deal"]
    ref: str
    member: str = Field(description="whose it is")
    team: str | None = Field(description="for which it is; of a customer that of the last deal")
    since: date
    why: Literal["left", "moved"] = Field(description="the member left, or is in the team of it no more")


class Assignment(Body):
    """Who gets a customer or an open deal."""

    customer: Ref | None = None
    deal: Ref | None = None
    to: Ref

    @model_validator(mode="after")
    def _one(self) -> Assignment:
        if (self.customer is None) == (self.deal is None):
            raise ValueError("name a customer or a deal")
        return self


class HandOver(Body):
    """What a member has, to one other member or to several; to the member as well, who then keeps it."""

    member: Ref
    to: Ref | None = Field(default=None, description="who gets all customers and open deals of the member")
    assignments: list[Assignment] = Field(default=[], max_length=1000, description="who gets which of them")
    on: Day | None = None

    @model_validator(mode="after")
    def _one(self) -> HandOver:
        if (self.to is None) == (not self.assignments):
            raise ValueError("say either to whom all is handed over, or who gets which in assignments")
        return self


class HandedShown(BaseModel):
    """A customer or an open deal, and who has it now."""

    kind: Literal["customer", "deal"]
    ref: str
    to: str


class HandedOverShown(BaseModel):
    """What was handed over, and what of it is still to be."""

    member: str
    on: date
    handed_over: list[HandedShown]
    open: list[HandoverShown]


@dataclass(frozen=True, slots=True)
class Belongings:
    """The customers and open deals of some members at the end of a day."""

    held: Sequence[tuple[Literal["customer", "deal"], Held]]

    def of(self, member: str) -> list[tuple[Literal["customer", "deal"], Held]]:
        """Those of one member."""
        return [(kind, each) for kind, each in self.held if each.owner == member]


@router.get(
    "/v1/handovers",
    operation_id="list_handovers",
    openapi_extra=described(_READ, None, {200: HandoverShown}, page=True),
)
async def list_handovers(
    request: Request,
    principal: Annotated[Principal, Depends(_READ)],
    member: Annotated[str | None, Query(description="only what is with this member")] = None,
    team: Annotated[str | None, Query(description="only what is of this team")] = None,
    on: Annotated[Day | None, Query(description="at the end of this day, today if not given")] = None,
) -> Response:
    """The customers and open deals to be handed over, because their owner has left or moved to another team."""
    asked_only(request, {"member", "team", "on"})

    async def query(snapshot: Snapshot) -> list[dict[str, Any]]:
        whose = await snapshot.resolve("member", member) or "" if member else None
        of = await snapshot.resolve("team", team) or "" if team else None
        day = on or await local_day(snapshot, now())
        return [each for each in await open_handovers(snapshot, day, whose) if of in (None, each["team"])]

    items = await runtime_of(request).store.read(query)
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


@router.post(
    "/v1/handovers",
    operation_id="hand_over",
    openapi_extra=described(_WRITE, HandOver, {200: HandedOverShown}, conflict=True),
)
async def hand_over(request: Request, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Hand over what a member has: by them, by who leads the team of it, or by a tool. What they won stays theirs."""
    raw = await request.body()
    body = parse(HandOver, raw)

    async def decide(tx: Tx) -> Answer:
        day = body.on or await local_day(tx, tx.now)
        member: KnownMember = await known(tx, KnownMember, body.member, "/member")
        theirs = (await belongings(tx, [member.id], day)).of(member.id)
        await _refuse_stranger(tx, principal, member, theirs)
        done = [
            await _handed(tx, kind, held, to, day) for kind, held, to in await _meant(tx, body, member, theirs, day)
        ]
        still = await open_handovers(tx, day, member.id)
        answer = {"member": member.id, "on": day, "handed_over": done, "open": still}
        return Answer(200, as_json(answer), batch_headers(tx))

    return await write(request, principal, decide, body=raw, batch=new_batch(runtime_of(request)))


async def _meant(
    tx: Tx, body: HandOver, member: KnownMember, theirs: Iterable[tuple[Any, Held]], day: date
) -> list[tuple[Any, Held, str]]:
    """Each thing with who gets it."""
    if body.to is not None:
        to = await _colleague(tx, body.to, "/to", day)
        meant = [(kind, held, to) for kind, held in theirs]
        if not meant:
            raise NothingToHandOver(member=member.id, day=day)
        return meant
    by_ref = {(kind, held.id): held for kind, held in theirs}
    found = []
    for place, each in enumerate(body.assignments):
        kind, model, ref = ("customer", Customer, each.customer) if each.customer else ("deal", Deal, each.deal)
        at = f"/assignments/{place}"
        thing = await tx.seek_unlocked(model, ref or "")
        if thing is None:
            raise Invalid.at(f"{at}/{kind}", f"there is no {kind} {ref}")
        held = by_ref.get((kind, thing.id))
        if held is None:
            owner = getattr(thing, "owner", None) or "somebody else"
            raise NotTheirs(ref=ref, member=member.id, day=day, owner=owner, pointer=f"{at}/{kind}")
        found.append((kind, held, await _colleague(tx, each.to, f"{at}/to", day)))
    return found


async def _handed(tx: Tx, kind: str, held: Held, to: str, on: date) -> dict[str, str]:
    if kind == "customer":
        customer = await tx.load(Customer, held.id)
        tx.save(customer, customer.hand_over(to, on, held.owner))
    else:
        deal = await tx.load(Deal, held.id)
        tx.save(deal, deal.hand_over(to, on))
    return {"kind": kind, "ref": held.id, "to": to}


async def _colleague(tx: Tx, ref: str, at: str, day: date) -> str:
    found: KnownMember = await known(tx, KnownMember, ref, at)
    if not on_day(found.employments, day):
        raise OwnerDoesNotWorkHere(member=found.id, day=day, pointer=at)
    return found.id


async def _refuse_stranger(
    tx: Tx, principal: Principal, member: KnownMember, theirs: Iterable[tuple[Any, Held]]
) -> None:
    if principal.member in (None, member.id):
        return
    mine = await tx.rows(sa.select(_team.id).where(_team.leader == principal.member))
    led = {str(team) for (team,) in mine}
    if any(held.team not in led for _, held in theirs):
        raise forbidden("admin")


async def open_handovers(snapshot: Snapshot, day: date, member: str | None = None) -> list[dict[str, Any]]:
    """What is to be handed over at the end of a day, by member."""
    chosen = [_member.id == member] if member is not None else []
    people = {each.id: each for each in await snapshot.all(KnownMember, sa.select(KnownMember).where(*chosen))}
    gone = [each.id for each in people.values() if _has_ended(each, day)]
    if not gone:
        return []
    items = [
        {"kind": kind, "ref": held.id, "member": held.owner, "team": held.team, "since": held.since, "why": why}
        for kind, held in (await belongings(snapshot, gone, day)).held
        if (why := held.why(people.get(held.owner), day)) is not None
    ]
    return sorted(items, key=lambda each: (each["member"], each["kind"], each["ref"]))


def _has_ended(member: KnownMember, day: date) -> bool:
    spells = [*member.employments, *member.memberships]
    return not on_day(member.employments, day) or any((end := end_of(each)) and end <= day for each in spells)


async def belongings(snapshot: Snapshot, members: Sequence[str], day: date) -> Belongings:
    """The customers and open deals of some members at the end of a day."""
    held: list[tuple[Literal["customer", "deal"], Held]] = []
    for deal in await snapshot.all(Deal, _OPEN, members=list(members)):
        if deal.opened_on <= day:
            held.append(("deal", deal.sale.held_on(day)))
    served = {str(key) for (key,) in await snapshot.rows(_SERVED, members=list(members))}
    ever = {each.id for each in await snapshot.all(Customer, _EVER)}
    for each in await customers_held(snapshot, sorted(served | ever), day):
        held.append(("customer", each))
    whose = set(members)
    return Belongings([(kind, each) for kind, each in held if each.owner in whose])


async def customers_held(snapshot: Snapshot, ids: Sequence[str], day: date) -> list[Held]:
    """Who looks after some customers at the end of a day."""
    sales: dict[str, list[Sale]] = {}
    for customer_id, *sale in await snapshot.rows(_OF_CUSTOMERS, customers=list(ids)):
        sales.setdefault(customer_id, []).append(Sale(*sale))
    found = []
    for customer in await snapshot.all(Customer, _CUSTOMERS, customers=list(ids)):
        lost = [customer.lost_on] if customer.lost_on else []
        held = customer_held(customer.id, customer.owners, sales.get(customer.id, ()), lost, day)
        if held is not None and customer.merged_into is None:
            found.append(held)
    return found
