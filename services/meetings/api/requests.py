"""`/v1/requests`: what departments ask of each other, and whether promises are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, create_model, model_validator

from services.meetings.domain.requests import Request
from shared.errors import Invalid
from shared.http.bodies import Body, Name, Named, Ref, Text, Word, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day, Instant
from shared.known import KnownDepartment, KnownMember, known, local_day, today
from shared.store import Snapshot, Tx

KINDS = ["it_support", "equipment", "recruiting", "pricing", "budget", "other"]


class PartyShown(BaseModel):
    """Who asks or is asked: the department of that day, and the member if one was named."""

    department: str
    member: str | None = None


_Parties = create_model("Parties", **{"from": (PartyShown, ...), "to": (PartyShown, ...)})  # type: ignore[call-overload]


async def present(snapshot: Snapshot, things: Sequence[Any], reader: Principal | None) -> list[dict[str, Any]]:
    """Requests with their parties in the form of the bodies."""
    return [
        shown(each)
        | {
            "from": {"department": each.from_department, "member": each.from_member},
            "to": {"department": each.to_department, "member": each.to_member},
        }
        for each in things
    ]


requests = Collection(
    Request,
    "requests",
    filters={"kind": "asks_for", "from": "from_department", "to": "to_department", "status": "status"},
    refs={"from": KnownDepartment, "to": KnownDepartment},
    present=present,
    extra=_Parties,
    on_day=Request.as_on,
)


class Party(Body):
    """A department, or one of its members."""

    department: Ref | None = Field(default=None, examples=["it"])
    member: Ref | None = None

    @model_validator(mode="after")
    def _one(self) -> Party:
        if (self.department is None) == (self.member is None):
            raise ValueError("name a department or a member")
        return self


class AskForSomething(Named):
    """What is asked for, by whom and of whom."""

    kind: Word = Field(examples=KINDS)
    title: Name = Field(examples=["The new tablet does not start"])
    asker: Party = Field(alias="from")
    asked: Party = Field(alias="to")
    promised_by: Day | None = None
    at: Instant | None = Field(default=None, description="when it was asked for, if not now")


class ChangeRequest(Named):
    """What to change about a request; what is not sent stays. Another `to` passes it on."""

    kind: Word = "other"
    title: Name = ""
    asker: Party | None = Field(default=None, alias="from")
    asked: Party | None = Field(default=None, alias="to")
    promised_by: Day | None = None
    at: Instant | None = None


class PromiseRequest(Body):
    """The day by which it will be done."""

    promised_by: Day
    on: Day | None = Field(default=None, description="the day the promise was made, if not today")


class ResolveRequest(Body):
    """When it was done, how, and by whom."""

    at: Instant | None = None
    note: Text | None = None
    by: Ref | None = Field(default=None, description="the member who did it, if not who sends this")


class ReopenRequest(Body):
    """Why it was not done after all."""

    reason: Annotated[Text, StringConstraints(min_length=1)]
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
        asked_on=on,
        from_department=from_department,
        from_member=from_member,
        to_department=to_department,
        to_member=to_member,
        promised_by=body.promised_by,
        **fresh(Request, body),
    )
    return tx.save(request, made)


@requests.amend
async def change_request(tx: Tx, request: Request, body: ChangeRequest) -> Request:
    """Describe a request differently, pass it on, or promise it by another day."""
    sent = body.sent()
    asker, asked, at = sent.pop("asker", None), sent.pop("asked", None), sent.pop("at", None)
    if "kind" in sent:
        sent["asks_for"] = sent.pop("kind")
    if at is not None:
        sent["asked_at"], sent["asked_on"] = at, await local_day(tx, at)
    on = sent.get("asked_on", request.asked_on)
    if asker is not None:
        sent["from_department"], sent["from_member"] = await _party(tx, asker, "/from", on)
    if asked is not None:
        sent["to_department"], sent["to_member"] = await _party(tx, asked, "/to", on)
    return tx.save(request, request.change(await today(tx), **sent))


# A promise replaces the one before, so making an earlier one again is not a repetition.
@requests.verb("promise", replaces=True)
async def promise_request(tx: Tx, request: Request, body: PromiseRequest) -> Request:
    """Say by when it will be done."""
    return tx.save(request, request.promise(body.promised_by, body.on or await today(tx)))


@requests.verb("resolve")
async def resolve_request(tx: Tx, request: Request, body: ResolveRequest) -> Request:
    """Say that it is done."""
    at = body.at or tx.now
    by = (await known(tx, KnownMember, body.by, "/by")).id if body.by else tx.context.member
    return tx.save(request, request.resolve(at, await local_day(tx, at), body.note, by))


@requests.verb("reopen", undoes=True)
async def reopen_request(tx: Tx, request: Request, body: ReopenRequest) -> Request:
    """Say that it was not done after all."""
    at = body.at or tx.now
    return tx.save(request, request.reopen(at, await local_day(tx, at), body.reason))


async def _party(tx: Tx, party: Party, at: str, on: date) -> tuple[str, str | None]:
    """The department that asks or is asked on a day, and the member if one is named."""
    if party.department is not None:
        return (await known(tx, KnownDepartment, party.department, f"{at}/department")).id, None
    member: KnownMember = await known(tx, KnownMember, party.member or "", f"{at}/member")
    department = member.department_on(on)
    if department is None:
        message = f"this member belonged to no department on {on}"
        raise Invalid.at(f"{at}/member", message)
    return department, member.id
