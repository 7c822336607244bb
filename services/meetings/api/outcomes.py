"""`/v1/outcomes`: what meetings resulted in, recorded while they are running."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from services.meetings.api.refs import all_known, here
from services.meetings.domain.actions import Action
from services.meetings.domain.items import Item
from services.meetings.domain.meetings import Meeting
from services.meetings.domain.outcomes import Outcome
from shared.errors import Invalid
from shared.http.bodies import Body, Named, Ref, Text
from shared.http.collection import Collection, fresh
from shared.ids import new_id
from shared.instant import Day
from shared.known import KnownGoal, KnownMember, known
from shared.store import Tx

outcomes = Collection(
    Outcome,
    "outcomes",
    filters={"meeting": "meeting", "item": "item", "kind": "sort"},
    refs={"meeting": Meeting, "item": Item},
)
Words = Annotated[Text, StringConstraints(min_length=1)]
MOST_IN_A_TITLE = 200


class Agreed(Body):
    """Who will do it by when, of an outcome that is an action."""

    owner: Ref
    due: Day
    helpers: list[Ref] = Field(default_factory=list, max_length=50)
    goal: Ref | None = None


class RecordOutcome(Named):
    """A result of a meeting that is running."""

    meeting: Ref
    kind: Literal["information", "decision", "action"]
    text: Words = Field(examples=["We offer the old price until the end of the month"])
    item: Ref | None = Field(default=None, description="what on the table it settles")
    agreed: Agreed | None = Field(default=None, description="of an action: who does it by when")

    @model_validator(mode="after")
    def _agreed(self) -> RecordOutcome:
        if (self.kind == "action") != (self.agreed is not None):
            raise ValueError("an action says in agreed who does it by when; nothing else does")
        return self


class ChangeOutcome(Named):
    """Other words, or another item, while the meeting is running; what is not sent stays."""

    meeting: Ref = ""
    kind: Literal["information", "decision", "action"] = "information"
    text: Words = "-"
    item: Ref | None = None
    agreed: Agreed | None = None


class WithdrawOutcome(Body):
    """Nothing needs to be said."""


@outcomes.create
async def record_outcome(tx: Tx, body: RecordOutcome) -> Outcome:
    """Record what a running meeting resulted in; an action is agreed at the same time."""
    meeting = await here(tx, Meeting, body.meeting, "/meeting", locked=True)
    item = await here(tx, Item, body.item, "/item") if body.item else None
    action_id = new_id(Action.prefix) if body.agreed is not None else None
    recorded = Outcome.record(
        meeting, sort=body.kind, text=body.text, item=item.id if item else None, action=action_id,
        **fresh(Outcome, body),
    )  # fmt: skip
    if body.agreed is not None:
        owner: KnownMember = await known(tx, KnownMember, body.agreed.owner, "/agreed/owner")
        goal = (await known(tx, KnownGoal, body.agreed.goal, "/agreed/goal")).id if body.agreed.goal else None
        agreed = Action.agree(
            title=body.text[:MOST_IN_A_TITLE], owner=owner.id, due=body.agreed.due, meeting=meeting.id,
            item=item.id if item else None, asked_by=item.raised_by if item else None,
            helpers=await all_known(tx, KnownMember, body.agreed.helpers, "/agreed/helpers"), goal=goal,
            agreed_on=meeting.on, id=action_id, externals={},
        )  # fmt: skip
        tx.save(*agreed)
    return tx.save(*recorded)


@outcomes.amend
async def change_outcome(tx: Tx, outcome: Outcome, body: ChangeOutcome) -> Outcome:
    """Put a result in other words while its meeting is running."""
    sent = body.sent()
    said = sent.pop("meeting", None)
    if said is not None and (await here(tx, Meeting, said, "/meeting")).id != outcome.meeting:
        raise Invalid.at("/meeting", "an outcome stays one of its meeting; withdraw it and record another")
    if sent.pop("kind", outcome.sort) != outcome.sort or sent.pop("agreed", None) is not None:
        raise Invalid.at("/kind", "an outcome stays of its kind; withdraw it and record another")
    sent.pop("agreed", None)
    if sent.get("item"):
        sent["item"] = (await here(tx, Item, sent["item"], "/item")).id
    meeting = await tx.load(Meeting, outcome.meeting)
    return tx.save(outcome, outcome.change(meeting, **sent))


@outcomes.verb("withdraw")
async def withdraw_outcome(tx: Tx, outcome: Outcome, body: WithdrawOutcome) -> Outcome:
    """Find, while the meeting is running, that it was no result."""
    meeting = await tx.load(Meeting, outcome.meeting)
    return tx.save(outcome, outcome.withdraw(meeting))
