"""`/v1/items`: news, problems, reports and questions on the table of a meeting or a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.meetings.api.refs import all_known, here
from services.meetings.domain.items import AnswersForAnother, Item, ToolOfAnother
from services.meetings.domain.meetings import Meeting, MeetingIs
from services.meetings.domain.series import Series
from shared.http.bodies import Body, Name, Named, Ref, Text, shown
from shared.http.collection import Collection, fresh
from shared.identity.permissions import Principal
from shared.instant import Day
from shared.known import KnownDepartment, KnownMember, KnownTeam, known, today
from shared.store import Snapshot, Tx

_team = KnownTeam.__table__.c  # type: ignore[attr-defined]
_LED = sa.select(_team.id).where(_team.leader == sa.bindparam("member"), _team.department == sa.bindparam("department"))


class _Waiting(BaseModel):
    waiting_for: list[str] = Field(default=[], description="departments a question is put to that did not answer yet")


def presented(item: Item) -> dict[str, Any]:
    """An item, and whose answers it waits for."""
    return shown(item) | {"waiting_for": item.waiting_for}


async def present(snapshot: Snapshot, things: Sequence[Item], reader: Principal | None) -> list[dict[str, Any]]:
    """Items, and whose answers they wait for."""
    return [presented(each) for each in things]


items = Collection(
    Item,
    "items",
    filters={
        "meeting": "meeting", "series": "series", "kind": "sort", "status": "status", "raised_by": "raised_by",
        "department": "department",
    },
    refs={"meeting": Meeting, "series": Series, "raised_by": KnownMember, "department": KnownDepartment},
    present=present,
    extra=_Waiting,
    on_day=Item.as_on,
)  # fmt: skip
Kind = Literal["news", "problem", "report", "question"]
Planned = Annotated[int, Field(ge=1, le=600, strict=True, description="how many minutes it is meant to take")]
Position = Annotated[int, Field(ge=1, le=1000, strict=True, description="its place on the agenda")]


class BringUp(Named):
    """Something for the table of a meeting or of a series."""

    kind: Kind
    title: Name = Field(examples=["Delivery of the new tablets is late"])
    meeting: Ref | None = None
    series: Ref | None = None
    raised_by: Ref | None = None
    presenter: Ref | None = None
    minutes: Planned | None = None
    position: Position | None = None
    about: Text | None = None
    department: Ref | None = Field(default=None, description="which it is about, or addressed to")
    to: list[Ref] = Field(default_factory=list, max_length=50, description="the departments a question is put to")
    on: Day | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> BringUp:
        if (self.meeting is None) == (self.series is None):
            raise ValueError("say for which meeting, or for which series")
        return self


class ChangeItem(Named):
    """What to change about an item; what is not sent stays, null clears."""

    kind: Kind = "news"
    title: Name = ""
    meeting: Ref | None = None
    series: Ref | None = None
    raised_by: Ref | None = None
    presenter: Ref | None = None
    minutes: Planned | None = None
    position: Position | None = None
    about: Text | None = None
    department: Ref | None = None
    to: list[Ref] = Field(default_factory=list, max_length=50)
    on: Day | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> ChangeItem:
        if {"meeting", "series"} & self.model_fields_set and (self.meeting is None) == (self.series is None):
            raise ValueError("say for which meeting, or for which series")
        return self


class ResolveItem(Body):
    """When, how and by whom it came off the table."""

    on: Day | None = None
    note: Text | None = None
    by: list[Ref] | None = Field(default=None, max_length=50, description="who resolved it, if not who sends this")


class AnswerItem(Body):
    """What a department answers to a question."""

    department: Ref = Field(examples=["finance"])
    text: Annotated[Text, StringConstraints(min_length=1)]
    on: Day | None = None


class ReopenItem(Body):
    """When it came back."""

    on: Day | None = None


@items.create
async def bring_up(tx: Tx, body: BringUp) -> Item:
    """Bring something up for a meeting or a series."""
    meeting, series = await _table(tx, body)
    item, raised = Item.bring_up(
        sort=body.kind,
        title=body.title,
        about=body.about,
        department=await _department(tx, body.department),
        to=await _asked(tx, body, meeting, series),
        meeting=meeting,
        series=series,
        raised_by=await _member(tx, body.raised_by, "/raised_by"),
        presenter=await _member(tx, body.presenter, "/presenter"),
        minutes=body.minutes,
        position=body.position,
        raised_on=body.on or await today(tx),
        **fresh(Item, body),
    )
    return tx.save(item, raised)


@items.amend
async def change_item(tx: Tx, item: Item, body: ChangeItem) -> Item:
    """Describe an item differently, or put it on another table."""
    sent = body.sent()
    if "kind" in sent:
        sent["sort"] = sent.pop("kind")
    if "meeting" in sent or "series" in sent:
        sent["meeting"], sent["series"] = await _table(tx, body)
    for name in ("raised_by", "presenter"):
        if name in sent:
            sent[name] = await _member(tx, sent[name], f"/{name}")
    if "department" in sent:
        sent["department"] = await _department(tx, sent["department"])
    if "to" in sent:
        sent["to"] = await all_known(tx, KnownDepartment, body.to, "/to")
    on = sent.pop("on", None)
    if on is not None:
        sent["raised_on"] = on
    return tx.save(item, item.change(**sent))


@items.verb("resolve")
async def resolve_item(tx: Tx, item: Item, body: ResolveItem) -> Item:
    """Take an item off the table."""
    by = await resolvers(tx, body.by)
    return tx.save(item, item.resolve(body.on or await today(tx), body.note, by))


# An answer takes the place of the one before, so giving an earlier one again is not a repetition.
@items.verb("answers", undoes=True)
async def answer_item(tx: Tx, item: Item, body: AnswerItem) -> Item:
    """Answer a question for a department."""
    department = (await known(tx, KnownDepartment, body.department, "/department")).id
    if tx.context.member is not None:
        await _refuse_unless_of(tx, tx.context.member, department)
    elif tx.context.principal is not None:
        _refuse_unless_tool_of(tx.context.principal, department)
    return tx.save(item, item.answer(department, body.text, body.on or await today(tx), tx.context.member))


@items.verb("reopen", undoes=True)
async def reopen_item(tx: Tx, item: Item, body: ReopenItem) -> Item:
    """Put an item on the table again."""
    return tx.save(item, item.reopen(body.on or await today(tx)))


async def _table(tx: Tx, body: BringUp | ChangeItem) -> tuple[str | None, str | None]:
    if body.series is not None:
        return None, (await here(tx, Series, body.series, "/series")).id
    meeting = await here(tx, Meeting, body.meeting or "", "/meeting")
    if meeting.status == "cancelled":
        raise MeetingIs(status="cancelled", needed="called, running or ended")
    return meeting.id, None


async def _asked(tx: Tx, body: BringUp, meeting: str | None, series: str | None) -> list[str]:
    """The departments a question is put to: of a consultative meeting those that meet, unless it says which."""
    if body.to or body.kind != "question":
        return await all_known(tx, KnownDepartment, body.to, "/to")
    table: Meeting | Series = await (tx.get(Meeting, meeting) if meeting else tx.get(Series, series or ""))
    return list(table.departments) if table.form == "consultative" else []


async def _refuse_unless_of(tx: Tx, member: str, department: str) -> None:
    """Refuse who answers for a department in which they are not today, and of which they lead no team."""
    day, who = await today(tx), await tx.recall(KnownMember, member)
    if who is not None and who.department_on(day) == department:
        return
    if not await tx.rows(_LED, member=member, department=department):
        raise AnswersForAnother(member=member, department=department, on=day)


def _refuse_unless_tool_of(tool: Principal, department: str) -> None:
    if tool.department != department and not tool.may(f"views.{department}:read"):
        raise ToolOfAnother(own=tool.department or "no department", department=department)


async def resolvers(tx: Tx, refs: Sequence[str] | None) -> list[str]:
    """The members who brought a resolution about: those who are named, or else who sends it."""
    if refs is None:
        return [tx.context.member] if tx.context.member else []
    return await all_known(tx, KnownMember, refs, "/by")


async def _department(tx: Tx, ref: str | None) -> str | None:
    return (await known(tx, KnownDepartment, ref, "/department")).id if ref else None


async def _member(tx: Tx, ref: str | None, at: str) -> str | None:
    return (await known(tx, KnownMember, ref, at)).id if ref else None
