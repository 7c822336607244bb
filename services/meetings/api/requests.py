"""`/v1/requests`: what departments ask of each other, and whether promises are kept."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from services.meetings.domain.requests import Request
from services.meetings.known import Colleague, InvitedDepartment, known, local_day
from shared.errors import Fault, Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text
from shared.http.collection import Collection, fresh
from shared.instant import Day, Instant
from shared.store import Tx

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
requests = Collection(
    Request,
    "requests",
    filters={"kind": "asks_for", "from": "from_department", "to": "to_department"},
    refs={"from": "department", "to": "department"},
)


class Party(Body):
    """A department, or one of its members."""

    department: Ref | None = None
    member: Ref | None = None

    @model_validator(mode="after")
    def _one(self) -> Party:
        if (self.department is None) == (self.member is None):
            raise ValueError("name a department or a member")
        return self


class AskForSomething(Named):
    """What is asked for, by whom and of whom."""

    kind: Kind = Field(examples=["it_support"])
    title: Name
    asker: Party = Field(alias="from")
    asked: Party = Field(alias="to")
    promised_by: Day | None = None
    at: Instant | None = None


class PromiseRequest(Body):
    """The day by which it will be done."""

    promised_by: Day


class ResolveRequest(Body):
    """When it was done, and how."""

    at: Instant | None = None
    note: Text | None = None


class ReopenRequest(Body):
    """Why it was not done after all."""

    reason: Text
    at: Instant | None = None


@requests.create
async def ask_for_something(tx: Tx, body: AskForSomething) -> Request:
    """Ask a department for something."""
    asked_at = body.at or tx.now
    on = await local_day(tx, asked_at)
    from_department, from_member = await _party(tx, body.asker, "/from", on)
    to_department, to_member = await _party(tx, body.asked, "/to", on)
    request, made = Request.ask(
        asks_for=body.kind,
        title=body.title,
        asked_at=asked_at,
        on=on,
        from_department=from_department,
        from_member=from_member,
        to_department=to_department,
        to_member=to_member,
        promised_by=body.promised_by,
        **fresh(Request, body),
    )
    return tx.save(request, made)


@requests.verb("promise")
async def promise_request(tx: Tx, request: Request, body: PromiseRequest) -> Request:
    """Say by when it will be done."""
    return tx.save(request, request.promise(body.promised_by))


@requests.verb("resolve")
async def resolve_request(tx: Tx, request: Request, body: ResolveRequest) -> Request:
    """Say that it is done."""
    at = body.at or tx.now
    return tx.save(request, request.resolve(at, await local_day(tx, at), body.note))


@requests.verb("reopen", undoes=True)
async def reopen_request(tx: Tx, request: Request, body: ReopenRequest) -> Request:
    """Say that it was not done after all."""
    at = body.at or tx.now
    return tx.save(request, request.reopen(at, await local_day(tx, at), body.reason))


async def _party(tx: Tx, party: Party, at: str, on: date) -> tuple[str, str | None]:
    """The department that asks or is asked, and the member if one is named."""
    if party.department is not None:
        return (await known(tx, InvitedDepartment, party.department, f"{at}/department")).id, None
    member: Any = await known(tx, Colleague, party.member or "", f"{at}/member")
    department = member.department_on(on)
    if department is None:
        message = f"this member belonged to no department on {on}"
        raise Invalid(f"{at}/member: {message}.", [Fault(f"{at}/member", message)])
    return department, member.id
