"""`/v1/liaisons`: who keeps in touch with whom because work needs it. For the two, their team and who leads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import Field, create_model

from services.meetings.api.requests import Party
from services.meetings.domain.liaisons import Liaison
from shared.http.bodies import Body, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.instant import Day, now
from shared.known import KnownDepartment, KnownMember, KnownTeam, known, local_day, today
from shared.store import Snapshot, Tx

_liaison = Liaison.__table__.c  # type: ignore[attr-defined]
_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_LED = sa.select(_team.id).where(_team.leader == sa.bindparam("member"))
WEEKS = 13


class Side(Body):
    """A member, or a department in which nobody is named yet."""

    member: str | None = None
    department: str | None = None


_Sides = create_model("_Sides", **{"from": (Side, ...), "to": (Side, ...)})  # type: ignore[call-overload]


async def present(snapshot: Snapshot, things: Sequence[Liaison], reader: Principal | None) -> list[dict[str, Any]]:
    """Liaisons with their two sides in the form of the bodies."""
    return [
        shown(each)
        | {
            "from": {"member": each.from_member, "department": each.from_department},
            "to": {"member": each.to_member, "department": each.to_department},
        }
        for each in things
    ]


async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """Liaisons are for the two, for their team and who leads it, and for a department that is one side: where ties are
    missing is nobody else's business, and no tool's."""
    if reader.may(ADMIN):
        return None
    if reader.member is None:
        return sa.false()
    me = reader.member
    career = await snapshot.recall(KnownMember, me)
    teams = [row[0] for row in await snapshot.rows(_LED, member=me)]
    theirs = [_liaison.from_member == me, _liaison.to_member == me]
    if career is not None:
        teams += [str(each["of"]) for each in career.memberships if each["to"] is None]
        department = career.department_on(await local_day(snapshot, now()))
        theirs += [_liaison.from_department == department, _liaison.to_department == department]
    return sa.or_(*theirs, _liaison.team.in_(sorted(set(teams))))


liaisons = Collection(
    Liaison,
    "liaisons",
    filters={"from": "from_member", "to": "to_member", "team": "team", "status": "status", "review": "review"},
    refs={"from": KnownMember, "to": KnownMember, "team": KnownTeam},
    present=present,
    extra=_Sides,
    on_day=Liaison.as_on,
    readable=readable,
)


class PairLiaison(Named):
    """Two who are to keep in touch, how often, and for how long."""

    one: Party = Field(alias="from")
    other: Party = Field(alias="to")
    team: Ref | None = Field(default=None, description="whose work needs it")
    every_days: int = Field(default=14, ge=1, le=91)
    begins_on: Day | None = None
    until: Day | None = Field(default=None, description="the first day after it; 13 weeks later, if not said")


class ChangeLiaison(Named):
    """What to change about a liaison; what is not sent stays. A member may be named for a department."""

    one: Party | None = Field(default=None, alias="from")
    other: Party | None = Field(default=None, alias="to")
    team: Ref | None = Field(default=None, description="whose work needs it")
    every_days: int = Field(default=14, ge=1, le=91)
    begins_on: Day = date(1900, 1, 1)
    until: Day = date(1900, 1, 1)


class EndLiaison(Body):
    """From when on the two need not keep in touch, and why."""

    on: Day | None = None
    reason: Text | None = None


@liaisons.create
async def pair_liaison(tx: Tx, body: PairLiaison) -> Liaison:
    """Let two keep in touch."""
    begins = body.begins_on or await today(tx)
    team = await known(tx, KnownTeam, body.team, "/team") if body.team else None
    paired = Liaison.pair(
        sender=tx.context.member, may=[team.leader] if team and team.leader else [],
        team=team.id if team else None, every_days=body.every_days, begins_on=begins,
        until=body.until or begins + timedelta(weeks=WEEKS), **await _side(tx, body.one, "from"),
        **await _side(tx, body.other, "to"), **fresh(Liaison, body),
    )  # fmt: skip
    return tx.save(*paired)


@liaisons.amend
async def change_liaison(tx: Tx, liaison: Liaison, body: ChangeLiaison) -> Liaison:
    """Keep in touch for longer or more often, or name somebody for a department."""
    sent = body.sent()
    for name, side in (("one", "from"), ("other", "to")):
        party = sent.pop(name, None)
        if party is not None:
            sent |= await _side(tx, party, side)
    if sent.get("team") is not None:
        sent["team"] = (await known(tx, KnownTeam, sent["team"], "/team")).id
    return tx.save(liaison, liaison.change(**sent))


@liaisons.verb("end")
async def end_liaison(tx: Tx, liaison: Liaison, body: EndLiaison) -> Liaison:
    """Let two need not keep in touch any more."""
    return tx.save(liaison, liaison.end(body.on or await today(tx), body.reason))


async def _side(tx: Tx, party: Party, at: str) -> dict[str, str | None]:
    """A side of a liaison as it is stored."""
    member = (await known(tx, KnownMember, party.member, f"/{at}/member")).id if party.member else None
    of = (await known(tx, KnownDepartment, party.department, f"/{at}/department")).id if party.department else None
    return {f"{at}_member": member, f"{at}_department": of}
