"""`/v1/members`: recruiting, joining, moving, leaving, and forgetting who somebody was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.teams.domain.members import Member, MemberIsErased, OwnManager, Person
from services.teams.domain.teams import Department, Group, Team
from shared.errors import Conflict, Fault, Invalid
from shared.http.bodies import Body, ExternalName, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, Reference, fresh
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.http.writes import Answer, as_json, write
from shared.identity.permissions import Principal, require
from shared.instant import Day
from shared.membership import covers
from shared.money import Share
from shared.store import Snapshot, Tx
from shared.store.sql import OneOf
from shared.store.tables import External, Journal, KeptAnswer

Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
_person = Person.__table__.c  # type: ignore[attr-defined]
_journal = Journal.__table__.c  # type: ignore[attr-defined]
_kept = KeptAnswer.__table__.c  # type: ignore[attr-defined]
_external = External.__table__.c  # type: ignore[attr-defined]
_PEOPLE = sa.select(Person).where(OneOf(_person.id, "ids"))
router = APIRouter(tags=["members"])
_READ, _WRITE = require("members:read"), require("members:write")


class PersonalData(BaseModel):
    """What is personal about a member; shown to those who may read about people."""

    name: str | None = None
    email: str | None = None


async def present(snapshot: Snapshot, things: Sequence[Any], reader: Principal | None) -> list[dict[str, Any]]:
    """Members with what is personal about them, for those who may see it."""
    may = reader is None or reader.may("people:read")
    people: dict[str, Person] = {}
    if may and things:
        found = await snapshot.all(Person, _PEOPLE, ids=[thing.id for thing in things])
        people = {person.id: person for person in found}
    members = []
    for thing in things:
        fields, person = shown(thing), people.get(thing.id)
        fields["name"], fields["email"] = (person.name or None, person.email) if person else (None, None)
        if not may:
            fields["externals"] = []
        members.append(fields)
    return members


def _on_day(member: Any, day: date) -> dict[str, Any] | None:
    department = member.department_on(day)
    if department is None:
        return None
    return {
        "department": department,
        "memberships": [each for each in member.memberships if covers(each, day)],
        "groups": [each for each in member.groups if covers(each, day)],
    }


members = Collection(
    Member,
    "members",
    filters={"department": "department"},
    refs={"department": "department", "manager": "member"},
    present=present,
    extra=PersonalData,
    on_day=_on_day,
)


class RecruitMember(Named):
    """Somebody who will work here."""

    name: Name = Field(examples=["Ada Berg"])
    department: Ref = Field(examples=["sales"])
    starts_on: Day
    email: Email | None = None
    job: Name | None = None
    manager: Ref | None = None
    working_share: Share | None = None


class ChangeMember(Named):
    """What to change about a member, from a day on; what is not sent stays, null clears."""

    name: Name = ""
    department: Ref = ""
    starts_on: Day | None = None
    email: Email | None = None
    job: Name | None = None
    manager: Ref | None = None
    working_share: Share | None = None
    on: Day | None = None


class JoinTeam(Body):
    """The team or the group that is joined, from a day on."""

    team: Ref | None = None
    group: Ref | None = None
    since: Day | None = Field(default=None, alias="from")

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
    """The first day on which somebody works here no more."""

    on: Day
    reason: Text | None = None


@members.create
async def recruit_member(tx: Tx, body: RecruitMember) -> Member:
    """Win somebody for a department."""
    member, recruited = Member.recruit(
        department=await _department(tx, body.department),
        starts_on=body.starts_on,
        job=body.job,
        manager=await member_id(tx, body.manager, "/manager") if body.manager else None,
        working_share=str(body.working_share) if body.working_share is not None else "1",
        **fresh(Member, body),
    )
    tx.save(member, recruited)
    tx.save(*Person.introduce(member.id, body.name, body.email, member.externals))
    return member


@members.amend
async def change_member(tx: Tx, member: Member, body: ChangeMember) -> Member:
    """Change what is known of a member, from a day on."""
    sent = body.sent()
    on = sent.pop("on", None) or max(tx.now.date(), member.starts_on)
    if sent.pop("starts_on", member.starts_on) not in (None, member.starts_on):
        raise Conflict(f"This member started on {member.starts_on}; that does not change.",
                       [Fault("/starts_on", "differs from what is stored")])  # fmt: skip
    personal: dict[str, Any] = {name: sent.pop(name) for name in ("name", "email") if name in sent}
    if "department" in sent:
        sent["department"] = await _department(tx, body.department)
        if sent["department"] in [each["of"] for each in member.departments]:
            del sent["department"]
    if sent.get("manager"):
        sent["manager"] = await _manager(tx, member, sent["manager"])
    if "working_share" in sent:
        sent["working_share"] = str(sent["working_share"] if sent["working_share"] is not None else 1)
    tx.save(member, member.change(on, **sent))
    return await _describe(tx, member, personal)


@members.links
async def link_member(tx: Tx, member: Member, name: ExternalName) -> Member:
    """Let another system's id lead to a member; the id is personal and told with the person only."""
    known = member.externals.get(name.source)
    if known == name.id:
        return member
    if known is not None:
        raise Conflict(f"{name.source} already calls this member {known!r}.")
    member.describe()
    tx.name_externally(member, name.source, name.id)
    member.externals = member.externals | {name.source: name.id}
    return await _describe(tx, member, {"names": member.externals})


@members.verb("join")
async def join_team(tx: Tx, member: Member, body: JoinTeam) -> Member:
    """Belong to a team, and perhaps a group in it, from a day on."""
    group = await _seek(tx, Group, body.group, "/group") if body.group else None
    team = group.team if group else (await _seek(tx, Team, body.team or "", "/team")).id
    on = body.since or max(tx.now.date(), member.starts_on)
    return tx.save(member, member.join(team, on, group.id if group else None))


@members.verb("move")
async def move_member(tx: Tx, member: Member, body: MoveMember) -> Member:
    """Go from one team to another on a day; past results stay where they were won."""
    from_team = (await _seek(tx, Team, body.from_team, "/from_team")).id
    to_team = (await _seek(tx, Team, body.to_team, "/to_team")).id
    return tx.save(member, member.move(from_team, to_team, body.on or tx.now.date()))


@members.verb("leave")
async def leave(tx: Tx, member: Member, body: MemberLeaves) -> Member:
    """Work here no more from a day on."""
    return tx.save(member, member.leave(body.on, body.reason))


@router.get(
    "/v1/members/{ref}/memberships",
    operation_id="memberships_of_member",
    openapi_extra=described(_READ, None, {200: PersonalData}, page=True, missing=True),
    dependencies=[Depends(_READ)],
)
async def memberships_of_member(
    request: Request, ref: Reference, on: Annotated[Day | None, Query(description="only those of this day")] = None
) -> Response:
    """The teams a member belongs to, with their days."""
    member = await runtime_of(request).store.read(lambda snapshot: snapshot.get(Member, ref))
    items = [
        {"team": each["of"], "from": each["from"], "to": each["to"]}
        for each in member.memberships
        if on is None or covers(each, on)
    ]
    return Response(as_json({"items": items, "next": None}), media_type="application/json")


@router.delete(
    "/v1/members/{ref}/personal-data",
    operation_id="erase_member",
    status_code=204,
    openapi_extra=described(_WRITE, None, {204: None}, missing=True),
)
async def erase_member(request: Request, ref: Reference, principal: Annotated[Principal, Depends(_WRITE)]) -> Response:
    """Forget who a member was, here and in every service, for ever; what they did stays counted."""

    async def decide(tx: Tx) -> Answer:
        member = await tx.load(Member, ref)
        erased = member.erase()
        if erased is not None:
            person = await tx.load(Person, member.id)
            tx.save(member, erased)
            tx.save(person, person.forget())
            await _purge(tx, member)
        return Answer(204)

    return await write(request, principal, decide)


async def _purge(tx: Tx, member: Member) -> None:
    """Leave no copy behind: sent events of the person, kept answers that show them, and their other names."""
    for name in await tx.all(External, sa.select(External).where(_external.kind == "member",
                                                                _external.id == member.id)):  # fmt: skip
        tx.remove(name)
    for row in await tx.all(Journal, sa.select(Journal).where(_journal.subject == f"person/{member.id}",
                                                              _journal.data.is_not(None))):  # fmt: skip
        row.data = None
        tx.put(row)
    for kept in await tx.all(KeptAnswer, sa.select(KeptAnswer).where(_kept.body.contains(member.id))):
        tx.remove(kept)


async def _describe(tx: Tx, member: Member, personal: dict[str, Any]) -> Member:
    if personal:
        if member.erased:
            raise MemberIsErased
        person = await tx.load(Person, member.id)
        described = person.describe(**personal)
        if described is not None:
            tx.save(member, member.describe())
            tx.save(person, described)
    return member


async def _department(tx: Tx, ref: str) -> str:
    return str((await _seek(tx, Department, ref, "/department")).id)


async def _manager(tx: Tx, member: Member, ref: str) -> str:
    """A manager who is not, by way of others, managed by this member."""
    manager = await member_id(tx, ref, "/manager")
    above: str | None = manager
    while above is not None:
        if above == member.id:
            raise OwnManager
        above = (await tx.get(Member, above)).manager
    return manager


async def member_id(tx: Tx, ref: str, at: str) -> str:
    """The id of a member a body refers to; raises Invalid."""
    return str((await _seek(tx, Member, ref, at)).id)


async def _seek(tx: Tx, model: Any, ref: str, at: str) -> Any:
    found = await tx.seek_unlocked(model, ref)
    if found is None:
        raise Invalid(f"{at}: there is no {model.kind} {ref}.", [Fault(at, "not known")])
    return found
