"""Duties: what a member or a group is to do, done by them, and accepted or returned by who receives it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.duties import DutyAccepted, DutyAssigned, DutyCancelled, DutyChanged, DutyDone, DutyReturned
from shared.store import Entity
from shared.store.types import Json


class DutyIs(Refused):
    """This duty is {status}; only one that is {needed} can do that."""


class DutyDueBeforeAssigned(Refused):
    """What is assigned on {on} cannot be due on {due}."""

    status, at = 422, "/due"


class DoneBeforeAssigned(Refused):
    """This duty was assigned on {assigned}; it cannot be done on {on}."""

    status, at = 422, "/on"


class JudgedBeforeDone(Refused):
    """This duty was done on {done}; that cannot be judged on {on}."""

    status, at = 422, "/on"


class NotTheirDuty(Refused):
    """{member} is not among those who are to do this."""

    at = "/by"


class OwnDuty(Refused):
    """Nobody accepts or returns what they have done themselves; {receiver} does."""

    at = "/by"


class NotTheReceiver(Refused):
    """What was done is received by {receiver}, not by {member}."""

    at = "/by"


class Duty(Entity, table=True):
    """Something a member or a group is to do."""

    __table_args__ = (sa.Index("duty_due", "status", "due"),)
    kind: ClassVar[str] = "duty"
    prefix: ClassVar[str] = "dty"
    hidden: ClassVar[frozenset[str]] = frozenset({"member", "group_id", "spells"})

    title: str
    about: str | None = None
    goal: str | None = Field(default=None, index=True)
    member: str | None = Field(default=None, index=True)
    group_id: str | None = Field(default=None, index=True)
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided."""
    option: str | None = None
    assigned_by: str | None = None
    receiver: str | None = None
    assigned_on: date
    due: date | None = None
    status: str = "assigned"
    done_by: str | None = None
    done_on: date | None = None
    on_time: bool | None = None
    judged_by: str | None = None
    judged_on: date | None = None
    returned: int = 0
    reason: str | None = None
    """Why it was returned last."""
    cancelled_on: date | None = None
    spells: list[list[str | None]] = Field(default_factory=list, sa_type=Json)
    """When it was to be done: from the day it was assigned or returned, to the day it was done."""

    @classmethod
    def assign(
        cls, *, on: date, department: str, team: str | None, due: date | None = None, **fields: Any
    ) -> tuple[Self, DutyAssigned]:
        """Let a member or a group do something; department and team are theirs of that day."""
        _refuse_due_before(on, due)
        duty = cls.make(assigned_on=on, due=due, spells=[[on.isoformat(), None]], **fields)
        return duty, DutyAssigned(
            on=on, department=department, team=team, member=duty.member, group=duty.group_id, goal=duty.goal, due=due,
            review=duty.review, option=duty.option, externals=duty.externals,
        )  # fmt: skip

    def change(self, **fields: Any) -> DutyChanged | None:
        """Describe it differently while it is to be done."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_unless("assigned")
        _refuse_due_before(self.assigned_on, new.get("due", self.due))
        for name, value in new.items():
            setattr(self, name, value)
        return DutyChanged(goal=self.goal, due=self.due)

    def do(self, on: date, by: str | None, doers: Collection[str]) -> DutyDone:
        """Have done it; `doers` are the members who are to do it."""
        self._refuse_unless("assigned")
        began = date.fromisoformat(str(self.spells[-1][0]))
        if on < began:
            raise DoneBeforeAssigned(assigned=began, on=on)
        by = by or self.member
        if by is not None and by not in doers:
            raise NotTheirDuty(member=by)
        self.status, self.done_on, self.done_by = "done", on, by
        self.on_time = None if self.due is None else on <= self.due
        self.spells = [*self.spells[:-1], [self.spells[-1][0], on.isoformat()]]
        return DutyDone(on=on, by=by, on_time=self.on_time)

    def accept(self, on: date, by: str | None, doers: Collection[str]) -> DutyAccepted:
        """Find it good; not by who has done it."""
        by = self._judge(on, by, doers)
        self.status = "accepted"
        return DutyAccepted(on=on, by=by)

    def give_back(self, on: date, by: str | None, doers: Collection[str], reason: str | None) -> DutyReturned:
        """Want it done again; not by who has done it."""
        by = self._judge(on, by, doers)
        self.status, self.returned, self.reason = "assigned", self.returned + 1, reason
        self.done_on = self.done_by = self.on_time = None
        self.spells = [*self.spells, [on.isoformat(), None]]
        return DutyReturned(on=on, by=by)

    def cancel(self, on: date) -> DutyCancelled:
        """Not have to do it any more."""
        self._refuse_unless("assigned")
        self.status, self.cancelled_on = "cancelled", on
        self.spells = [*self.spells[:-1], [self.spells[-1][0], on.isoformat()]]
        return DutyCancelled(on=on)

    def forget(self) -> DutyChanged | None:
        """Forget why it was returned to who had done it."""
        if self.reason is None:
            return None
        self.reason = None
        return DutyChanged(goal=self.goal, due=self.due)

    def overdue(self, day: date) -> bool:
        """Whether it should have been done before a day, and is not."""
        return self.status == "assigned" and self.due is not None and self.due < day

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it was not assigned yet."""
        if day < self.assigned_on:
            return None
        text = day.isoformat()
        last = [each for each in self.spells if str(each[0]) <= text][-1]
        if last[1] is None or last[1] > text:
            gone = dict.fromkeys(("done_on", "done_by", "on_time", "judged_by", "judged_on", "cancelled_on"))
            return gone | {"status": "assigned", "overdue": self.due is not None and self.due < day}
        if last is not self.spells[-1]:
            return {"status": "done", "done_on": last[1], "overdue": False}
        if self.status == "accepted" and self.judged_on is not None and self.judged_on > day:
            return {"status": "done", "judged_by": None, "judged_on": None}
        return {}

    def _judge(self, on: date, by: str | None, doers: Collection[str]) -> str | None:
        self._refuse_unless("done")
        if self.done_on is not None and on < self.done_on:
            raise JudgedBeforeDone(done=self.done_on, on=on)
        receiver = self.receiver or self.assigned_by
        if by is not None and (by == self.done_by or (by in doers and by != receiver)):
            raise OwnDuty(receiver=receiver or "somebody else")
        if by is not None and self.receiver is not None and by != self.receiver:
            raise NotTheReceiver(receiver=self.receiver, member=by)
        self.judged_by, self.judged_on = by, on
        return by

    def _refuse_unless(self, needed: str) -> None:
        if self.status != needed:
            raise DutyIs(status=self.status, needed=needed)


def _refuse_due_before(on: date, due: date | None) -> None:
    if due is not None and due < on:
        raise DutyDueBeforeAssigned(on=on, due=due)
