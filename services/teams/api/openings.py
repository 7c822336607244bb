"""`/v1/openings`: positions that are to be filled."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from pydantic import Field

from services.teams.api.organisation import today
from services.teams.api.references import member_id, sought
from services.teams.domain.members import Member
from services.teams.domain.openings import Opening
from services.teams.domain.teams import Department, Team
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.membership import held_on
from shared.store import Tx

openings = Collection(
    Opening,
    "openings",
    filters={"department": "department", "team": "team", "status": "status", "filled_by": "filled_by"},
    refs={"department": Department, "team": Team, "filled_by": Member},
    on_day=Opening.as_on,
)
_opening = Opening.__table__.c  # type: ignore[attr-defined]
_FILLED_BY = sa.select(Opening).where(
    _opening.filled_by == sa.bindparam("member"), _opening.filled_on >= sa.bindparam("since")
)


class RequestOpening(Named):
    """Somebody who is needed."""

    title: Name = Field(examples=["Account manager for the north"])
    department: Ref = Field(default="sales", examples=["sales"])
    team: Ref | None = None
    job: Name | None = None
    needed_on: Day | None = None
    requested_by: Ref | None = Field(default=None, description="the member who asks, if not who sends this")
    reason: Text | None = None
    on: Day | None = None


class ChangeOpening(Named):
    """What to change about an opening that is to be filled; what is not sent stays, null clears."""

    title: Name = ""
    department: Ref = ""
    team: Ref | None = None
    job: Name | None = None
    needed_on: Day | None = None
    requested_by: Ref | None = None
    reason: Text | None = None
    on: Day | None = None


class ApproveOpening(Body):
    """The day on which it was agreed to."""

    on: Day | None = None


class FillOpening(Body):
    """Who fills it, and on which day that was settled."""

    member: Ref
    on: Day | None = None


class WithdrawOpening(Body):
    """The day from which nobody is looked for any more."""

    on: Day | None = None


class ReopenOpening(Body):
    """The day from which somebody is looked for again."""

    on: Day | None = None


@openings.create
async def request_opening(tx: Tx, body: RequestOpening) -> Opening:
    """Ask for somebody."""
    department = str((await sought(tx, Department, body.department, "/department")).id)
    asker = await member_id(tx, body.requested_by, "/requested_by") if body.requested_by else tx.context.member
    requested = Opening.request(
        title=body.title, department=department, team=await _team(tx, body.team, department), job=body.job,
        needed_on=body.needed_on, requested_by=asker, reason=body.reason, on=body.on or await today(tx),
        **fresh(Opening, body),
    )  # fmt: skip
    return tx.save(*requested)


@openings.amend
async def change_opening(tx: Tx, opening: Opening, body: ChangeOpening) -> Opening:
    """Describe an opening differently."""
    sent = body.sent()
    stays = {"department": opening.department, "on": opening.requested_on, "requested_by": opening.requested_by}
    for name, stored in stays.items():
        said = sent.pop(name, None)
        if said is not None and name == "department":
            said = str((await sought(tx, Department, said, "/department")).id)
        elif said is not None and name == "requested_by":
            said = await member_id(tx, said, "/requested_by")
        if said not in (None, stored):
            raise Invalid.at(f"/{name}", f"the {name} of an opening stays {stored}; withdraw it and request another")
    if "team" in sent:
        sent["team"] = await _team(tx, body.team, opening.department)
    return tx.save(opening, opening.change(**sent))


@openings.verb("approve")
async def approve_opening(tx: Tx, opening: Opening, body: ApproveOpening) -> Opening:
    """Agree that an opening may be filled."""
    return tx.save(opening, opening.approve(body.on or await today(tx), tx.context.member))


@openings.verb("fill")
async def fill_opening(tx: Tx, opening: Opening, body: FillOpening) -> Opening:
    """Say who fills an opening."""
    member: Member = await sought(tx, Member, body.member, "/member")
    on = body.on or await today(tx)
    came_on = _came_on(member, opening.department, max(on, member.starts_on))
    if came_on is None:
        raise Invalid.at("/member", f"this member does not work in the department {opening.department}")
    others = await tx.all(Opening, _FILLED_BY, member=member.id, since=opening.requested_on)
    return tx.save(opening, opening.fill(member.id, came_on, others, on))


@openings.verb("withdraw")
async def withdraw_opening(tx: Tx, opening: Opening, body: WithdrawOpening) -> Opening:
    """Not look for anybody any more."""
    return tx.save(opening, opening.withdraw(body.on or await today(tx)))


@openings.verb("reopen", undoes=True)
async def reopen_opening(tx: Tx, opening: Opening, body: ReopenOpening) -> Opening:
    """Look for somebody again."""
    return tx.save(opening, opening.reopen(body.on or await today(tx)))


async def _team(tx: Tx, ref: str | None, department: str) -> str | None:
    if ref is None:
        return None
    team: Team = await sought(tx, Team, ref, "/team")
    if team.department != department:
        raise Invalid.at("/team", f"the team {team.id} is one of {team.department}, not of {department}")
    return team.id


def _came_on(member: Member, department: str, day: date) -> date | None:
    stay = held_on(member.departments, day, department)
    return date.fromisoformat(stay["from"]) if stay else None
