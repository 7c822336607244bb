"""Actions: what somebody has agreed to do by a day."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain import spells
from shared.errors import Refused
from shared.events.items import ActionAgreed, ActionCancelled, ActionChanged, ActionDone, ActionReopened
from shared.store import Entity
from shared.store.types import Json


class ActionIsDone(Refused):
    """This action was done on {on}; reopen it first."""


class ActionIsCancelled(Refused):
    """This action was cancelled on {on}; agree on another one."""


class ActionIsOpen(Refused):
    """This action is not done yet; there is nothing to reopen."""


class OnlyWhoAskedAgrees(Refused):
    """Only {asker}, who asked for this, can agree to another day."""

    status, at = 422, "/due_agreed"


class Action(Entity, table=True):
    """What somebody has agreed to do by a day."""

    kind: ClassVar[str] = "action"
    prefix: ClassVar[str] = "act"
    hidden: ClassVar[frozenset[str]] = frozenset({"judged_by"})

    title: str
    owner: str = Field(index=True)
    helpers: list[str] = Field(default_factory=list, sa_type=Json)
    item: str | None = Field(default=None, index=True)
    meeting: str | None = Field(default=None, index=True)
    """Where it was agreed."""
    goal: str | None = Field(default=None, index=True)
    """The goal it serves."""
    asked_by: str | None = None
    """Who wants it done, and can agree to another day."""
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided."""
    option: str | None = None
    agreed_on: date
    due: date
    judged_by: date | None = None
    """The day that decides whether it is done on time: a later one counts only if who asked for it agrees."""
    status: str = Field(default="open", index=True)
    done_on: date | None = None
    cancelled_on: date | None = None
    opened: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it was agreed, and agreed again."""
    closed: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it was done."""

    @classmethod
    def agree(cls, *, agreed_on: date, due: date, **fields: Any) -> tuple[Self, ActionAgreed]:
        """Agree on something to be done."""
        action = cls.make(agreed_on=agreed_on, due=due, judged_by=due, opened=[agreed_on.isoformat()], **fields)
        return action, ActionAgreed(
            **action._told(), review=action.review, option=action.option, externals=action.externals
        )

    def change(self, today: date, due_agreed: bool = False, **fields: Any) -> ActionChanged | None:
        """Agree on something else; once it is done, only its words may change.

        A day that is changed after the day of agreeing decides nothing unless who asked for it agrees.
        """
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        if set(new) != {"title"}:
            self._refuse_unless_open()
        self.opened = spells.begin(self.opened, self.closed, new.get("agreed_on", self.agreed_on))
        for name, value in new.items():
            setattr(self, name, value)
        due_agreed = due_agreed and "due" in new
        if due_agreed or today <= self.agreed_on:
            self.judged_by = self.due
        return ActionChanged(**self._told(), changed_on=today, due_agreed=due_agreed)

    def agrees(self, sender: str | None, said: bool | None) -> bool:
        """Whether another day is agreed to: who asked for the action does so by sending it, others tell of it."""
        if said and sender is not None and sender != self.asked_by:
            raise OnlyWhoAskedAgrees(asker=self.asked_by or "somebody who is not named")
        return said if said is not None else sender is not None and sender == self.asked_by

    def done(self, on: date) -> ActionDone:
        """Have it done."""
        self._refuse_unless_open()
        self.closed = spells.close(self.opened, self.closed, on)
        self.status, self.done_on = "done", on
        return ActionDone(on=on, on_time=on <= (self.judged_by or self.due))

    def reopen(self, on: date) -> ActionReopened:
        """Find that it is not done after all."""
        if self.cancelled_on is not None:
            raise ActionIsCancelled(on=self.cancelled_on)
        if self.done_on is None:
            raise ActionIsOpen
        self.opened = spells.reopen(self.opened, self.closed, on)
        self.status, self.done_on = "open", None
        return ActionReopened(on=on)

    def cancel(self, on: date) -> ActionCancelled:
        """Not have to do it after all."""
        self._refuse_unless_open()
        self.closed = spells.close(self.opened, self.closed, on)
        self.status, self.cancelled_on = "cancelled", on
        return ActionCancelled(on=on)

    def to_do_on(self, day: date) -> bool:
        """Whether it was still, or again, to be done on a day."""
        return spells.open_on(day, self.opened, self.closed)

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it was not there yet."""
        if day < self.agreed_on:
            return None
        if spells.open_after(day, self.opened, self.closed):
            return {"status": "open", "done_on": None, "cancelled_on": None}
        if self.cancelled_on is not None and self.cancelled_on <= day:
            return {}
        before = [each for each in self.closed if each <= day.isoformat()]
        return {"status": "done", "done_on": before[-1], "cancelled_on": None}

    def _refuse_unless_open(self) -> None:
        if self.cancelled_on is not None:
            raise ActionIsCancelled(on=self.cancelled_on)
        if self.done_on is not None:
            raise ActionIsDone(on=self.done_on)

    def _told(self) -> dict[str, Any]:
        return {
            "on": self.agreed_on,
            "owner": self.owner,
            "due": self.due,
            "item": self.item,
            "meeting": self.meeting,
            "helpers": tuple(self.helpers),
            "goal": self.goal,
            "asked_by": self.asked_by,
        }
