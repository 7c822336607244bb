"""`/v1/duties`: what members and groups are to do, and whether who receives it is content."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field, create_model, model_validator

from services.teams.api.organisation import today
from services.teams.api.readers import people_of
from services.teams.api.references import member_id, sought
from services.teams.domain.duties import Duty
from services.teams.domain.members import Member
from services.teams.domain.teams import Group, Team
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.identity.scopes import ADMIN
from shared.instant import Day
from shared.known import KnownGoal, known
from shared.membership import latest_on, on_day
from shared.store import Snapshot, Tx
from shared.store.sql import naming

_member = Member.__table__.c  # type: ignore[attr-defined]
_duty = Duty.__table__.c  # type: ignore[attr-defined]


class AssigneeShown(BaseModel):
    """Who is to do it."""

    member: str | None = None
    group: str | None = None


_Shown = create_model(
    "_Shown",
    assigned_to=(AssigneeShown, ...),
    overdue=(bool, Field(description="due before today, and not done")),
)


async def present(snapshot: Snapshot, found: Sequence[Duty], reader: Principal | None) -> list[dict[str, Any]]:
    """Duties, with who is to do them in the form of the bodies, and whether they are overdue today."""
    day = await today(snapshot)
    return [
        shown(each) | {"assigned_to": {"member": each.member, "group": each.group_id}, "overdue": each.overdue(day)}
        for each in found
    ]


async def readable(snapshot: Snapshot, reader: Principal) -> sa.ColumnElement[bool] | None:
    """Duties are for who is to do them, who leads them, who assigned and who receives them, and for tools."""
    if reader.member is None or reader.may(ADMIN):
        return None
    people = sorted(await people_of(snapshot, reader))
    rows = await snapshot.rows(sa.select(_member.groups).where(_member.id.in_(people)))
    day = await today(snapshot)
    groups = sorted({group for (stays,) in rows for group in on_day(stays, day)})
    mine = [column == reader.member for column in (_duty.assigned_by, _duty.receiver, _duty.done_by)]
    return sa.or_(_duty.member.in_(people), _duty.group_id.in_(groups), *mine)


duties = Collection(
    Duty,
    "duties",
    filters={
        "member": "member",
        "group": "group_id",
        "goal": "goal",
        "review": "review",
        "status": "status",
        "receiver": "receiver",
    },
    refs={"member": Member, "group": Group, "goal": KnownGoal, "receiver": Member},
    present=present,
    extra=_Shown,
    on_day=Duty.as_on,
    readable=readable,
)


class Assignee(Body):
    """A member, or a group."""

    member: Ref | None = None
    group: Ref | None = None

    @model_validator(mode="after")
    def _one(self) -> Assignee:
        if (self.member is None) == (self.group is None):
            raise ValueError("name a member or a group")
        return self


class AssignDuty(Named):
    """Something that a member or a group is to do."""

    title: Name = Field(examples=["Call the ten largest customers"])
    about: Text | None = None
    goal: Ref | None = Field(default=None, description="the goal it serves")
    assigned_to: Assignee
    due: Day | None = None
    receiver: Ref | None = Field(default=None, description="who accepts it; who assigned it, if not given")
    on: Day | None = None


class ChangeDuty(Named):
    """What to change about a duty that is to be done; what is not sent stays, null clears."""

    title: Name = ""
    about: Text | None = None
    goal: Ref | None = None
    assigned_to: Assignee | None = None
    due: Day | None = None
    receiver: Ref | None = None
    on: Day | None = None


class DoDuty(Body):
    """When it was done, and by which member of a group; who sends this, if not given."""

    on: Day | None = None
    by: Ref | None = None


class AcceptDuty(Body):
    """When it was found good, and by whom; who sends this, if not given."""

    on: Day | None = None
    by: Ref | None = None


class ReturnDuty(Body):
    """When it was returned, by whom and why."""

    on: Day | None = None
    by: Ref | None = None
    reason: Text | None = None


class CancelDuty(Body):
    """The day from which it need not be done any more."""

    on: Day | None = None


async def duties_of(tx: Tx, member: str) -> list[Duty]:
    """The duties that a member is to do or has done, to be changed."""
    select = sa.select(Duty).where(sa.or_(_duty.member == member, _duty.done_by == member)).order_by(_duty.id)
    return [await tx.load(Duty, each.id) for each in await tx.all(Duty, select)]


@duties.create
async def assign_duty(tx: Tx, body: AssignDuty) -> Duty:
    """Let a member or a group do something."""
    on = body.on or await today(tx)
    assigned = Duty.assign(
        title=body.title, about=body.about, goal=await goal_id(tx, body.goal), assigned_by=tx.context.member,
        receiver=await member_id(tx, body.receiver, "/receiver") if body.receiver else None, due=body.due, on=on,
        **await _assignee(tx, body.assigned_to, on), **fresh(Duty, body),
    )  # fmt: skip
    return tx.save(*assigned)


@duties.amend
async def change_duty(tx: Tx, duty: Duty, body: ChangeDuty) -> Duty:
    """Describe a duty differently; who is to do it stays."""
    sent = body.sent()
    to = sent.pop("assigned_to", None)
    if to is not None:
        meant = await _assignee(tx, to, duty.assigned_on)
        if (meant["member"], meant["group_id"]) != (duty.member, duty.group_id):
            raise Invalid.at("/assigned_to", "a duty stays with whom it was assigned to; cancel it and assign another")
    if sent.pop("on", None) not in (None, duty.assigned_on):
        raise Invalid.at("/on", f"it was assigned on {duty.assigned_on}, and that stays")
    if "goal" in sent:
        sent["goal"] = await goal_id(tx, body.goal)
    if sent.get("receiver"):
        sent["receiver"] = await member_id(tx, sent["receiver"], "/receiver")
    return tx.save(duty, duty.change(**sent))


# What was returned is done again, so doing it once more is not a repetition.
@duties.verb("done")
async def do_duty(tx: Tx, duty: Duty, body: DoDuty) -> Duty:
    """Note that a duty is done."""
    on, by = body.on or await today(tx), await _who(tx, body.by)
    return tx.save(duty, duty.do(on, by, await doers_of(tx, duty, on)))


@duties.verb("accept")
async def accept_duty(tx: Tx, duty: Duty, body: AcceptDuty) -> Duty:
    """Find good what was done; not what one has done oneself."""
    on, by = body.on or await today(tx), await _who(tx, body.by)
    return tx.save(duty, duty.accept(on, by, await doers_of(tx, duty, on)))


@duties.verb("return", undoes=True)
async def return_duty(tx: Tx, duty: Duty, body: ReturnDuty) -> Duty:
    """Want something done again."""
    on, by = body.on or await today(tx), await _who(tx, body.by)
    return tx.save(duty, duty.give_back(on, by, await doers_of(tx, duty, on), body.reason))


@duties.verb("cancel")
async def cancel_duty(tx: Tx, duty: Duty, body: CancelDuty) -> Duty:
    """Note that a duty need not be done any more."""
    return tx.save(duty, duty.cancel(body.on or await today(tx)))


async def goal_id(tx: Tx, ref: str | None) -> str | None:
    """The goal that a body names."""
    return str((await known(tx, KnownGoal, ref, "/goal")).id) if ref else None


async def doers_of(snapshot: Snapshot, duty: Duty, day: date) -> set[str]:
    """The members who are to do it: the one, or those who are in the group on a day."""
    if duty.member is not None:
        return {duty.member}
    mention = naming(_member.groups, duty.group_id)
    rows = await snapshot.rows(sa.select(_member.id, _member.groups).where(mention))
    return {str(member) for member, groups in rows if duty.group_id in on_day(groups, day)}


async def _assignee(tx: Tx, to: Assignee, on: date) -> dict[str, Any]:
    """Who is to do it, with their department and team of that day."""
    if to.group is not None:
        group: Group = await sought(tx, Group, to.group, "/assigned_to/group")
        team = await tx.get(Team, group.team)
        return {"member": None, "group_id": group.id, "department": team.department, "team": team.id}
    member: Member = await sought(tx, Member, to.member or "", "/assigned_to/member")
    member.employment(on, "/on")
    place = {"department": member.position(on)["department"], "team": latest_on(member.memberships, on)}
    return {"member": member.id, "group_id": None} | place


async def _who(tx: Tx, ref: str | None) -> str | None:
    """The member who acts: who sends it, or who is named by a tool."""
    return tx.context.member or (await member_id(tx, ref, "/by") if ref else None)
