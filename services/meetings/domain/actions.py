"""Actions: what somebody has agreed to do by a day."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain import spells
from shared.errors import Refused
from shared.events.meetings import ActionAgreed, ActionChanged, ActionDone, ActionReopened
from shared.store import Entity
from shared.store.types import Json


class ActionIsDone(Refused):
    """This action was done on {on}; reopen it first."""


class ActionIsOpen(Refused):
    """This action is not done yet; there is nothing to reopen."""


class Action(Entity, table=True):
    """What somebody has agreed to do by a day."""

    kind: ClassVar[str] = "action"
    prefix: ClassVar[str] = "act"

    title: str
    owner: str = Field(index=True)
    helpers: list[str] = Field(default_factory=list, sa_type=Json)
    item: str | None = Field(default=None, index=True)
    meeting: str | None = Field(default=None, index=True)
    """Where it was agreed."""
    goal: str | None = Field(default=None, index=True)
    """The goal it serves."""
    agreed_on: date
    due: date
    status: str = Field(default="open", index=True)
    done_on: date | None = None
    opened: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it was agreed, and agreed again."""
    closed: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it was done."""

    @classmethod
    def agree(cls, *, agreed_on: date, **fields: Any) -> tuple[Self, ActionAgreed]:
        """Agree on something to be done."""
        action = cls.make(agreed_on=agreed_on, opened=[agreed_on.isoformat()], **fields)
        return action, ActionAgreed(**action._told(), externals=action.externals)

    def change(self, **fields: Any) -> ActionChanged | None:
        """Agree on something else; once it is done, only its words may change."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        if self.done_on is not None and set(new) != {"title"}:
            raise ActionIsDone(on=self.done_on)
        self.opened = spells.begin(self.opened, self.closed, new.get("agreed_on", self.agreed_on))
        for name, value in new.items():
            setattr(self, name, value)
        return ActionChanged(**self._told())

    def done(self, on: date) -> ActionDone:
        """Have it done."""
        if self.done_on is not None:
            raise ActionIsDone(on=self.done_on)
        self.closed = spells.close(self.opened, self.closed, on)
        self.status, self.done_on = "done", on
        return ActionDone(on=on, on_time=on <= self.due)

    def reopen(self, on: date) -> ActionReopened:
        """Find that it is not done after all."""
        if self.done_on is None:
            raise ActionIsOpen
        self.opened = spells.reopen(self.opened, self.closed, on)
        self.status, self.done_on = "open", None
        return ActionReopened(on=on)

    def to_do_on(self, day: date) -> bool:
        """Whether it was still, or again, to be done on a day."""
        return spells.open_on(day, self.opened, self.closed)

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it was not there yet."""
        if day < self.agreed_on:
            return None
        if spells.open_after(day, self.opened, self.closed):
            return {"status": "open", "done_on": None}
        before = [each for each in self.closed if each <= day.isoformat()]
        return {"status": "done", "done_on": before[-1]}

    def _told(self) -> dict[str, Any]:
        return {
            "on": self.agreed_on,
            "owner": self.owner,
            "due": self.due,
            "item": self.item,
            "helpers": tuple(self.helpers),
            "goal": self.goal,
        }
