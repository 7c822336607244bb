"""`/v1/check-ins`: who has looked after whom. Only the two read them, and no event tells what was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import Field

from services.meetings.domain.check_ins import IsErased, MemberCheckIn
from shared.errors import Invalid
from shared.http.bodies import Body, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.instant import Day
from shared.known import KnownMember, known, today
from shared.store import Snapshot, Tx
from shared.store.tables import Erased

_check_in = MemberCheckIn.__table__.c  # type: ignore[attr-defined]
Kind = Literal["offered_help", "asked", "information"]


async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """Check-ins are for the two they are between; no department's tool reads them."""
    if reader.may(ADMIN):
        return None
    if reader.member is None:
        return sa.false()
    return sa.or_(_check_in.from_member == reader.member, _check_in.to_member == reader.member)


async def present(
    snapshot: Snapshot, things: Sequence[MemberCheckIn], reader: Principal | None
) -> list[dict[str, Any]]:
    """Check-ins; what was said only to the two, whatever else somebody may do."""
    return [_for(each, reader) for each in things]


def _for(check_in: MemberCheckIn, reader: Principal | None) -> dict[str, Any]:
    whose = (check_in.from_member, check_in.to_member)
    fields = shown(check_in)
    return fields if reader is not None and reader.member in whose else fields | {"note": None}


check_ins = Collection(
    MemberCheckIn,
    "check-ins",
    filters={"from": "from_member", "to": "to_member", "kind": "sort"},
    refs={"from": KnownMember, "to": KnownMember},
    present=present,
    readable=readable,
)


class NoteCheckIn(Named):
    """Who has looked after whom, when, and how."""

    giver: Ref | None = Field(default=None, alias="from", description="the member who sends this, if not said")
    receiver: Ref = Field(alias="to")
    kind: Kind
    on: Day | None = None
    note: Text | None = Field(default=None, description="only for the two")


class ChangeCheckIn(Named):
    """What to put right; what is not sent stays, null clears. Between whom it was stays."""

    giver: Ref | None = Field(default=None, alias="from")
    receiver: Ref | None = Field(default=None, alias="to")
    kind: Kind = "asked"
    on: Day = date(1900, 1, 1)
    note: Text | None = None


class WithdrawCheckIn(Body):
    """Nothing needs to be said."""


@check_ins.create
async def note_check_in(tx: Tx, body: NoteCheckIn) -> MemberCheckIn:
    """Note that one member has looked after another."""
    giver = body.giver or tx.context.member
    if giver is None:
        raise Invalid.at("/from", "say which member has looked after the other; who sends this is none")
    day = await today(tx)
    one = (await known(tx, KnownMember, giver, "/from")).id
    other = (await known(tx, KnownMember, body.receiver, "/to")).id
    if body.note:
        await _refuse_if_erased(tx, one, other)
    noted = MemberCheckIn.note_down(
        sender=tx.context.member, today=day, on=body.on or day, sort=body.kind, note=body.note, from_member=one,
        to_member=other, **fresh(MemberCheckIn, body),
    )  # fmt: skip
    return tx.save(*noted)


@check_ins.amend
async def change_check_in(tx: Tx, check_in: MemberCheckIn, body: ChangeCheckIn) -> MemberCheckIn:
    """Put right what was noted of a check-in."""
    sent = body.sent()
    for name, at, is_ in (("giver", "/from", check_in.from_member), ("receiver", "/to", check_in.to_member)):
        said = sent.pop(name, None)
        if said is not None and (await known(tx, KnownMember, said, at)).id != is_:
            raise Invalid.at(at, "between whom it was stays; withdraw it and note another")
    if "kind" in sent:
        sent["sort"] = sent.pop("kind")
    if sent.get("note"):
        await _refuse_if_erased(tx, check_in.from_member, check_in.to_member)
    return tx.save(check_in, check_in.change(await today(tx), **sent))


@check_ins.verb("withdraw")
async def withdraw_check_in(tx: Tx, check_in: MemberCheckIn, body: WithdrawCheckIn) -> MemberCheckIn:
    """Find that it was none."""
    return tx.save(check_in, check_in.withdraw())


async def _refuse_if_erased(tx: Tx, *members: str) -> None:
    for each in members:
        if await tx.find(Erased, f"person/{each}") is not None:
            raise IsErased
