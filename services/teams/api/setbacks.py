"""`/v1/setbacks`: rejection, lost deals, mistreatment and complaints; private, and followed up.

A setback is read by whose it is, who reported it and whom they let read it. No department's tool reads it, and the
views count setbacks only where at least five people had one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field, create_model

from services.teams.api.organisation import local_day, today
from services.teams.api.references import member_id, sought
from services.teams.domain.members import Member, MemberIsErased
from services.teams.domain.people import Person
from services.teams.domain.setbacks import Setback
from services.teams.known import KnownCustomer
from services.teams.pseudonyms import token_of
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.instant import Day, Instant
from shared.known import known
from shared.membership import latest_on
from shared.store import Snapshot, Tx
from shared.store.sql import naming

_setback = Setback.__table__.c  # type: ignore[attr-defined]
Kind = Literal["rejection", "lost_deal", "mistreatment", "complaint"]
Option = Literal["accompany", "reassign", "pause", "escalate", "close_account"]
Severity = Annotated[int, Field(ge=1, le=4, strict=True, description="1 is slight, 4 is grave")]


async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """Setbacks are for whose they are, who reported them and whom they let read them."""
    if reader.may(ADMIN):
        return None
    if reader.member is None:
        return sa.false()
    shared = naming(_setback.readers, reader.member)
    return sa.or_(_setback.member == reader.member, _setback.reported_by == reader.member, shared)


_Shown = create_model("_Shown", overdue=(bool, Field(description="a follow-up was due before today and is not done")))


async def present(snapshot: Snapshot, found: Sequence[Setback], reader: Principal | None) -> list[dict[str, Any]]:
    """Setbacks, and whether what was agreed about them is overdue."""
    day = await today(snapshot)
    return [shown(each) | {"overdue": each.overdue(day)} for each in found]


setbacks = Collection(
    Setback,
    "setbacks",
    filters={"member": "member", "customer": "customer", "kind": "sort", "status": "status"},
    refs={"member": Member, "customer": KnownCustomer},
    present=present,
    extra=_Shown,
    readable=readable,
)
_OF_MEMBER = sa.select(Setback).where(
    sa.or_(
        _setback.member == sa.bindparam("member"),
        sa.type_coerce(_setback.readers, sa.Text).contains(sa.bindparam("quoted"), autoescape=False),
    )
)


class ReportSetback(Named):
    """What happened to somebody, and who may read of it beside them."""

    member: Ref
    kind: Kind
    severity: Severity
    customer: Ref | None = None
    colleague: Ref | None = None
    note: Text | None = None
    readers: list[Ref] = Field(default_factory=list, max_length=50, description="with the member's consent")
    at: Instant | None = None


class ChangeSetback(Named):
    """What to change about a setback that is not closed; what is not sent stays, null clears."""

    member: Ref = ""
    kind: Kind = "rejection"
    severity: Severity = 1
    customer: Ref | None = None
    colleague: Ref | None = None
    note: Text | None = None
    readers: list[Ref] = Field(default_factory=list, max_length=50)
    at: Instant | None = None


class ShareSetback(Body):
    """All who may read of it beside the member and who reported it."""

    readers: list[Ref] = Field(max_length=50)


class FollowUp(Body):
    """What is to be done about it, by whom and by when."""

    option: Option
    due: Day
    owner: Ref | None = None
    note: Text | None = None


class FollowedUp(Body):
    """What was agreed has been done."""

    follow_up: Name = Field(examples=["follow-up-1"])
    on: Day | None = None
    note: Text | None = None


class CloseSetback(Body):
    """When and how it ended; regardless of what is still to be done only with an outcome."""

    on: Day | None = None
    outcome: Text | None = None
    regardless: bool = False


@setbacks.create
async def report_setback(tx: Tx, body: ReportSetback) -> Setback:
    """Report what happened to oneself or to somebody else."""
    found: Member = await sought(tx, Member, body.member, "/member")
    member = await tx.load(Member, found.id)
    if member.erased:
        raise MemberIsErased(pointer="/member")
    at = body.at or tx.now
    on = await local_day(tx, at)
    member.employment(on, "/at")
    if body.readers and tx.context.member not in (None, member.id):
        raise Invalid.at("/readers", "whose setback it is says who may read of it; report it without, and they will")
    token, person = await token_of(tx, member.id), await tx.load(Person, member.id)
    tx.save(person, person.describe(token=token))
    reported = Setback.report(
        token, member=member.id, customer=await _customer(tx, body.customer),
        colleague=await member_id(tx, body.colleague, "/colleague") if body.colleague else None, sort=body.kind,
        severity=body.severity, note=body.note, at=at, on=on, reported_by=tx.context.member,
        readers=await _readers(tx, body.readers), department=member.position(on)["department"],
        team=latest_on(member.memberships, on), **fresh(Setback, body),
    )  # fmt: skip
    return tx.save(*reported)


@setbacks.amend
async def change_setback(tx: Tx, setback: Setback, body: ChangeSetback) -> Setback:
    """Describe a setback differently."""
    sent = body.sent()
    if sent.pop("member", None) and await member_id(tx, body.member, "/member") != setback.member:
        raise Invalid.at("/member", "whose setback it is stays; report another")
    if "readers" in sent:
        del sent["readers"]
        setback = tx.save(setback, setback.share(await _readers(tx, body.readers), tx.context.member))
    if "kind" in sent:
        sent["sort"] = sent.pop("kind")
    if "customer" in sent:
        sent["customer"] = await _customer(tx, body.customer)
    if sent.get("colleague"):
        sent["colleague"] = await member_id(tx, sent["colleague"], "/colleague")
    if sent.get("at"):
        sent["on"] = await local_day(tx, sent["at"])
    else:
        sent.pop("at", None)
    return tx.save(setback, setback.change(**sent))


# Who may read replaces who might before, so letting the same ones read again is not a repetition.
@setbacks.verb("readers", replaces=True)
async def share_setback(tx: Tx, setback: Setback, body: ShareSetback) -> Setback:
    """Say who may read of a setback."""
    return tx.save(setback, setback.share(await _readers(tx, body.readers), tx.context.member))


@setbacks.verb("follow-up")
async def follow_up(tx: Tx, setback: Setback, body: FollowUp) -> Setback:
    """Agree what is to be done about a setback."""
    owner = await member_id(tx, body.owner, "/owner") if body.owner else None
    return tx.save(setback, setback.follow_up(body.option, owner, body.due, body.note))


@setbacks.verb("followed-up")
async def followed_up(tx: Tx, setback: Setback, body: FollowedUp) -> Setback:
    """Note that what was agreed has been done."""
    return tx.save(setback, setback.done(body.follow_up, body.on or await today(tx), body.note))


@setbacks.verb("close")
async def close_setback(tx: Tx, setback: Setback, body: CloseSetback) -> Setback:
    """Note that a setback is over."""
    return tx.save(setback, setback.close(body.on or await today(tx), body.outcome, regardless=body.regardless))


async def setbacks_of(snapshot: Snapshot, member: str) -> list[Setback]:
    """The setbacks of a member, and those they may read of."""
    return await snapshot.all(Setback, _OF_MEMBER, member=member, quoted=f'"{member}"')


async def _readers(tx: Tx, refs: list[str]) -> list[str]:
    return sorted({await member_id(tx, ref, f"/readers/{place}") for place, ref in enumerate(refs)})


async def _customer(tx: Tx, ref: str | None) -> str | None:
    if ref is None:
        return None
    customer: KnownCustomer = await known(tx, KnownCustomer, ref, "/customer")
    return customer.merged_into or customer.id
