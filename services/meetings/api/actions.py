"""`/v1/actions`: what somebody will do by a day."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from services.meetings.api.refs import all_known, here
from services.meetings.domain.actions import Action
from services.meetings.domain.items import Item
from services.meetings.domain.meetings import Meeting
from shared.http.bodies import Body, Name, Named, Ref
from shared.http.collection import Collection, fresh
from shared.instant import Day
from shared.known import KnownGoal, KnownMember, known, today
from shared.store import Tx

actions = Collection(
    Action,
    "actions",
    filters={
        "owner": "owner",
        "item": "item",
        "meeting": "meeting",
        "goal": "goal",
        "review": "review",
        "status": "status",
    },
    refs={"owner": KnownMember, "item": Item, "meeting": Meeting, "goal": KnownGoal},
    on_day=Action.as_on,
)


class AgreeAction(Named):
    """What somebody will do by a day."""

    title: Name = Field(examples=["Ask the supplier for a new date"])
    owner: Ref
    due: Day
    helpers: list[Ref] = Field(default_factory=list, max_length=50)
    item: Ref | None = None
    meeting: Ref | None = Field(default=None, description="where it was agreed")
    goal: Ref | None = Field(default=None, description="the goal it serves")
    asked_by: Ref | None = Field(default=None, description="who wants it done, if not who raised its item")
    on: Day | None = Field(default=None, description="the day it was agreed")


class ChangeAction(Named):
    """What to change about an action; what is not sent stays, null clears."""

    title: Name = ""
    owner: Ref = ""
    due: Day = date(1900, 1, 1)
    helpers: list[Ref] = Field(default_factory=list, max_length=50)
    item: Ref | None = None
    meeting: Ref | None = None
    goal: Ref | None = None
    asked_by: Ref | None = None
    due_agreed: bool | None = Field(
        default=None,
        description="whether who asked for it agrees to another day; it is"
        " so if they send it, and otherwise only a tool can tell",
    )
    on: Day | None = None


class FinishAction(Body):
    """When it was done."""

    on: Day | None = None


class ReopenAction(Body):
    """When it turned out not to be done."""

    on: Day | None = None


class CancelAction(Body):
    """From when on it need not be done any more."""

    on: Day | None = None


@actions.create
async def agree_action(tx: Tx, body: AgreeAction) -> Action:
    """Agree on something to be done."""
    item = await here(tx, Item, body.item, "/item") if body.item else None
    asker = await known(tx, KnownMember, body.asked_by, "/asked_by") if body.asked_by else None
    action, agreed = Action.agree(
        title=body.title,
        owner=(await known(tx, KnownMember, body.owner, "/owner")).id,
        due=body.due,
        helpers=await all_known(tx, KnownMember, body.helpers, "/helpers"),
        item=item.id if item else None,
        meeting=(await here(tx, Meeting, body.meeting, "/meeting")).id if body.meeting else None,
        asked_by=asker.id if asker else item.raised_by if item else None,
        goal=(await known(tx, KnownGoal, body.goal, "/goal")).id if body.goal else None,
        agreed_on=body.on or await today(tx),
        **fresh(Action, body),
    )
    return tx.save(action, agreed)


@actions.amend
async def change_action(tx: Tx, action: Action, body: ChangeAction) -> Action:
    """Agree on something else."""
    sent = body.sent()
    if "owner" in sent:
        sent["owner"] = (await known(tx, KnownMember, body.owner, "/owner")).id
    if "helpers" in sent:
        sent["helpers"] = await all_known(tx, KnownMember, body.helpers, "/helpers")
    if sent.get("asked_by") is not None:
        sent["asked_by"] = (await known(tx, KnownMember, sent["asked_by"], "/asked_by")).id
    if sent.get("item") is not None:
        sent["item"] = (await here(tx, Item, sent["item"], "/item")).id
    if sent.get("meeting") is not None:
        sent["meeting"] = (await here(tx, Meeting, sent["meeting"], "/meeting")).id
    if sent.get("goal") is not None:
        sent["goal"] = (await known(tx, KnownGoal, sent["goal"], "/goal")).id
    on = sent.pop("on", None)
    if on is not None:
        sent["agreed_on"] = on
    agreed = action.agrees(tx.context.member, sent.pop("due_agreed", None))
    return tx.save(action, action.change(await today(tx), agreed, **sent))


@actions.verb("done")
async def finish_action(tx: Tx, action: Action, body: FinishAction) -> Action:
    """Have it done."""
    return tx.save(action, action.done(body.on or await today(tx)))


@actions.verb("reopen", undoes=True)
async def reopen_action(tx: Tx, action: Action, body: ReopenAction) -> Action:
    """Find that it is not done after all."""
    return tx.save(action, action.reopen(body.on or await today(tx)))


@actions.verb("cancel")
async def cancel_action(tx: Tx, action: Action, body: CancelAction) -> Action:
    """Not have to do it after all."""
    return tx.save(action, action.cancel(body.on or await today(tx)))
