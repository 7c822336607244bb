"""`/v1/members`: recruiting, changing, joining, moving and leaving."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from services.teams.api.handing_over import let_hand_over
from services.teams.api.organisation import today
from services.teams.api.references import member_id, place, sought
from services.teams.api.shown_members import Shown, as_on, present
from services.teams.domain.leavers import ALL, Leavers, Reason
from services.teams.domain.members import Member, MemberIsErased, OwnManager
from services.teams.domain.organisation import THE_ONE, Organisation
from services.teams.domain.people import Person
from services.teams.domain.teams import Department, Group, Team
from shared.errors import Conflict, Fault, Invalid
from shared.http.bodies import Body, ExternalName, Name, Named, Ref, Text
from shared.http.collection import Collection, fresh
from shared.instant import LAST_DAY, Day
from shared.membership import end_of, on_day, overlaps
from shared.money import Share
from shared.store import Tx

Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Workplace = Literal["office", "remote", "hybrid"]
WorkingShare = Annotated[Share, AfterValidator(lambda share: share.normalize())]
Ramp = Annotated[
    list[WorkingShare],
    Field(
        max_length=36,
        description="share of a full quota expected in each month since the employment began; full after the last",
        examples=[["0.25", "0.5", "0.75"]],
    ),
]

members = Collection(
    Member,
    "members",
    dated={"department": "departments", "team": "memberships", "group": "groups", "manager": "managers"},
    refs={"department": Department, "team": Team, "group": Group, "manager": Member},
    present=present,
    extra=Shown,
    on_day=as_on,
    today=today,
)


class RecruitMember(Named):
    """Somebody who will work here."""

    name: Name = Field(examples=["Ada Berg"])
    department: Ref = Field(examples=["sales"])
    starts_on: Day
    email: Email | None = None
    job: Name | None = None
    manager: Ref | None = None
    working_share: WorkingShare | None = Field(default=None, description="of full working time, 1 if not said")
    ramp: Ramp | None = None
    workplace: Workplace | None = Field(default=None, description="where the organisation holds that")
    on: Day | None = Field(default=None, description="for a member known already: the day from which this holds")


class ChangeMember(Named):
    """What to change about a member, from a day on; what is not sent stays, null clears."""

    name: Name = ""
    department: Ref = ""
    starts_on: Day | None = Field(default=None, description="of who has left: the beginning of another employment")
    email: Email | None = None
    job: Name | None = None
    manager: Ref | None = None
    working_share: WorkingShare | None = None
    ramp: Ramp | None = None
    workplace: Workplace | None = None
    on: Day | None = Field(default=None, description="the day from which this holds, today if not given")


class RecruitAgain(Body):
    """The beginning of another employment; what is not sent is as it was before."""

    starts_on: Day
    department: Ref = ""
    job: Name | None = None
    manager: Ref | None = None
    working_share: WorkingShare | None = None
    ramp: Ramp | None = None
    workplace: Workplace | None = None


class JoinTeam(Body):
    """The team or the group that is joined, from a day on, and perhaps until another."""

    team: Ref | None = None
    group: Ref | None = None
    since: Day | None = Field(default=None, alias="from", description="today if not given")
    to: Day | None = Field(default=None, description="the first day after it; for as long as it lasts if not given")

    @model_validator(mode="after")
    def _somewhere(self) -> JoinTeam:
        if self.team is None and self.group is None:
            raise ValueError("say which team or which group is joined")
        return self


class MoveMember(Body):
    """From which team to which, on a day."""

    from_team: Ref
    to_team: Ref
    on: Day | None = None


class MemberLeaves(Body):
    """The first day on which somebody works here no more, or no more in the team or group that is named."""

    on: Day
    reason: Text | None = Field(default=None, description="why somebody works here no more, in words")
    why: Reason | None = Field(
        default=None, description="the same as one of a few; told to others only counted, of five leavers at least"
    )
    team: Ref | None = None
    group: Ref | None = None

    @model_validator(mode="after")
    def _one_reason(self) -> MemberLeaves:
        if (self.reason is not None or self.why is not None) and (self.team or self.group):
            raise ValueError("a reason is kept for leaving altogether, not for leaving a team or a group")
        return self


class MemberStaysOn(Body):
    """Nothing need be said."""


@members.create
async def recruit_member(tx: Tx, body: RecruitMember) -> Member:
    """Win somebody for a department."""
    _from_the_first_day(body.starts_on, body.on)
    position = await _position(tx, body)
    await _refuse_absent(tx, position.get("manager"), body.starts_on)
    member, recruited = Member.recruit(starts_on=body.starts_on, **position, **fresh(Member, body))
    tx.save(member, recruited)
    tx.save(*Person.introduce(member.id, body.name, body.email, member.externals))
    return member


@members.amend
async def change_member(tx: Tx, member: Member, body: ChangeMember) -> Member:
    """Change what is known of a member, from a day on."""
    starts_on, sent = body.starts_on, body.sent()
    member = await describe(tx, member, {name: sent[name] for name in ("name", "email") if name in sent})
    position = await _position(tx, body)
    if starts_on is not None and starts_on.isoformat() not in [each["from"] for each in member.employments]:
        if member.left_on is None:
            raise Conflict(f"This member started on {member.starts_on}; that does not become {starts_on}.",
                           [Fault("/starts_on", "differs from what is stored")])  # fmt: skip
        _from_the_first_day(starts_on, body.on)
        return await _recruited_again(tx, member, starts_on, position)
    on = body.on or max(await today(tx), member.starts_on)
    if position.get("manager") != member.position(on)["manager"]:
        await _refuse_absent(tx, position.get("manager"), on)
    changed = member.change(on, **position)
    if changed is not None and position.get("manager") is not None:
        await _refuse_own_manager(tx, member, on)
    return tx.save(member, changed)


@members.links
async def link_member(tx: Tx, member: Member, name: ExternalName) -> Member:
    """Let another system's id lead to a member; the id is personal and told with the person only."""
    known = member.externals.get(name.source)
    if known == name.id:
        return member
    if known is not None:
        raise Conflict(f"{name.source} already calls this member {known!r}.")
    if member.erased:
        raise MemberIsErased
    tx.name_externally(member, name.source, name.id)
    member.externals = member.externals | {name.source: name.id}
    return await describe(tx, member, {"names": member.externals})


@members.verb("recruit")
async def recruit_again(tx: Tx, member: Member, body: RecruitAgain) -> Member:
    """Win back somebody who has left; a new employment begins."""
    position = await _position(tx, body)
    await _refuse_absent(tx, position.get("manager"), body.starts_on)
    return await _recruited_again(tx, member, body.starts_on, position)


@members.verb("join")
async def join_team(tx: Tx, member: Member, body: JoinTeam) -> Member:
    """Belong to a team, and perhaps a group in it, from a day on."""
    team, group = await place(tx, body.team, body.group)
    on = body.since or max(await today(tx), member.starts_on)
    return tx.save(member, member.join(team, on, group, body.to))


@members.verb("move")
async def move_member(tx: Tx, member: Member, body: MoveMember) -> Member:
    """Go from one team to another on a day; past results stay where they were won."""
    from_team = str((await sought(tx, Team, body.from_team, "/from_team")).id)
    to_team = str((await sought(tx, Team, body.to_team, "/to_team")).id)
    on = body.on or await today(tx)
    moved = tx.save(member, member.move(from_team, to_team, on))
    await let_hand_over(tx, member, [from_team], on)
    return moved


@members.verb("leave")
async def leave(tx: Tx, member: Member, body: MemberLeaves) -> Member:
    """Work here no more from a day on; or, with a team or a group, belong to that no more."""
    if body.team is None and body.group is None:
        day = await today(tx)
        if member.left_on is not None and day < member.left_on != body.on:
            await _stays(tx, member, day)
        teams = on_day(member.memberships, body.on)
        gone = tx.save(member, member.leave(body.on, body.reason, body.why))
        if body.why is not None:
            leavers = await tx.seek(Leavers, ALL) or Leavers.make(id=ALL)
            tx.save(leavers, leavers.explain(member.id, body.on, body.why))
        await let_hand_over(tx, member, teams, body.on)
        return gone
    team, group = await place(tx, body.team, body.group)
    return tx.save(member, member.leave_team(team, body.on, group))


@members.verb("stay", undoes=True)
async def stay(tx: Tx, member: Member, body: MemberStaysOn) -> Member:
    """Not leave after all, while the departure is still to come."""
    return await _stays(tx, member, await today(tx))


async def _stays(tx: Tx, member: Member, day: date) -> Member:
    tx.save(member, member.stay(day))
    leavers = await tx.seek(Leavers, ALL)
    if leavers is not None:
        tx.save(leavers, leavers.forget(member.id, stays=True))
    return member


async def _recruited_again(tx: Tx, member: Member, starts_on: date, position: dict[str, Any]) -> Member:
    recruited = member.recruit_again(starts_on, **position)
    # Whoever was the manager before may be managed by this member by now.
    if recruited.manager is not None:
        await _refuse_own_manager(tx, member, starts_on)
    return tx.save(member, recruited)


def _from_the_first_day(starts_on: date, on: date | None) -> None:
    """Refuse another day for what holds from the beginning of an employment."""
    if on not in (None, starts_on):
        detail = f"what is said of a new employment holds from {starts_on}, its first day, not from {on}"
        raise Invalid.at("/on", detail)


async def _position(tx: Tx, body: RecruitMember | ChangeMember | RecruitAgain) -> dict[str, Any]:
    """The fields sent that are dated, with our ids for references."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    position: dict[str, Any] = {name: sent[name] for name in ("job", "manager", "working_share", "workplace")
                                if name in sent}  # fmt: skip
    if "department" in sent:
        position["department"] = str((await sought(tx, Department, body.department, "/department")).id)
    if position.get("manager") is not None:
        position["manager"] = await member_id(tx, position["manager"], "/manager")
    if position.get("workplace") is not None:
        (await tx.get(Organisation, THE_ONE)).refuse_unless_held(position["workplace"])
    if "working_share" in position:
        share = position["working_share"]
        position["working_share"] = f"{share:f}" if share is not None else "1"
    if "ramp" in sent:
        position["ramp"] = [f"{share:f}" for share in sent["ramp"] or ()]
    return position


async def describe(tx: Tx, member: Member, personal: dict[str, Any]) -> Member:
    """Learn something personal of a member: a name, an e-mail address, what other systems call them."""
    if not personal:
        return member
    if member.erased:
        raise MemberIsErased
    person = await tx.load(Person, member.id)
    described = person.describe(**personal)
    if described is not None:
        tx.save(member, member.describe())
        tx.save(person, described)
    return member


async def _refuse_absent(tx: Tx, manager: str | None, on: date) -> None:
    """A manager works here on the day from which they manage somebody."""
    if manager is not None:
        (await tx.get(Member, manager)).employment(on, "/manager")


async def _refuse_own_manager(tx: Tx, member: Member, on: date) -> None:
    """See to it that nobody above a member is managed by them, on any day from this one on."""
    # Two members may be made each other's managers at the same moment: whoever changes one waits here for the other.
    await tx.load(Organisation, THE_ONE)
    above = [(each["of"], max(date.fromisoformat(each["from"]), on), end_of(each) or LAST_DAY)
             for each in member.managers if each["of"] and overlaps(each, on, None)]  # fmt: skip
    while above:
        manager, start, end = above.pop()
        if manager == member.id:
            raise OwnManager(manager=manager, day=start)
        for each in (await tx.get(Member, manager)).managers:
            if each["of"] and overlaps(each, start, end):
                begins = max(date.fromisoformat(each["from"]), start)
                above.append((each["of"], begins, min(end_of(each) or LAST_DAY, end)))
