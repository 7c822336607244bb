"""Trainings: a member is to take a course, takes it and finishes it, or does not."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from services.teams.domain.members import Member
from shared.errors import Refused
from shared.events.trainings import (
    CheckScored,
    TrainingAssigned,
    TrainingAttended,
    TrainingCancelled,
    TrainingCompleted,
    TrainingCorrected,
    TrainingDescribed,
    TrainingPlanned,
)  # fmt: skip
from shared.membership import latest_on
from shared.money import Money
from shared.store import Entity
from shared.store.types import MoneyText


class AssignedAlready(Refused):
    """This member has been assigned this course since {since} and has not finished it ({id})."""

    at = "/member"


class DueBeforeAssigned(Refused):
    """What is assigned on {on} cannot be due on {due}."""

    status, at = 422, "/due"


class TrainingIs(Refused):
    """This training is {status}; only one that is {needed} can do that."""


class AttendedBeforeAssigned(Refused):
    """This training was assigned on {assigned}; it cannot have begun on {on}."""

    status, at = 422, "/on"


class AttendedBeforeTheSession(Refused):
    """The session begins on {begins}; it cannot have been attended on {on}."""

    status, at = 422, "/on"


class FinishedBeforeItBegan(Refused):
    """This training began on {began}; it cannot be finished on {on}."""

    status, at = 422, "/on"


class Training(Entity, table=True):
    """A member and a course: assigned, attended, completed, or cancelled."""

    __table_args__ = (sa.Index("training_member", "member"), sa.Index("training_session", "course", "session"))
    kind: ClassVar[str] = "training"
    prefix: ClassVar[str] = "trn"

    member: str
    course: str
    session: str | None = None
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided."""
    option: str | None = None
    status: str = Field(default="assigned", index=True)
    assigned_on: date
    due: date | None = None
    attended_on: date | None = None
    completed_on: date | None = None
    cancelled_on: date | None = None
    score_before: int | None = None
    score_after: int | None = None
    rating: int | None = None
    """How good the member found it, from 1 to 5."""
    comment: str | None = None
    """What the member said of it."""
    cost: Money | None = Field(default=None, sa_type=MoneyText)
    department: str | None = None
    """Who bears the cost: the member's department of the day it was finished."""

    def worth(self) -> Money | None:
        """A training adds what it cost to the books once it is finished."""
        return self.cost if self.status == "completed" else None

    @classmethod
    def assign(
        cls,
        member: Member,
        others: list[Training],
        *,
        course: str,
        on: date,
        due: date | None = None,
        session: str | None = None,
        trains: str | None = None,
        **identity: Any,
    ) -> tuple[Self, TrainingAssigned]:
        """Let a member take a course, which trains something; `others` are their trainings in it."""
        member.employment(on, "/on")
        for other in others:
            if other.status in ("assigned", "attended"):
                raise AssignedAlready(since=other.assigned_on, id=other.id)
        _refuse_due_before(on, due)
        training = cls.make(member=member.id, course=course, assigned_on=on, due=due, session=session, **identity)
        return training, TrainingAssigned(
            member=member.id, course=course, on=on, due=due, session=session, externals=training.externals,
            trains=trains, review=training.review, option=training.option,
            department=member.position(on)["department"], team=latest_on(member.memberships, on),
        )  # fmt: skip

    def plan(self, *, due: date | None, session: str | None) -> TrainingPlanned | None:
        """Be due by another day, or take it in another session."""
        if (due, session) == (self.due, self.session):
            return None
        self._refuse_unless("assigned")
        _refuse_due_before(self.assigned_on, due)
        self.due, self.session = due, session
        return TrainingPlanned(due=due, session=session)

    def attend(self, on: date, begins: date | None) -> TrainingAttended:
        """Begin to take it; `begins` is the first day of its session, if it is taken in one."""
        self._refuse_unless("assigned")
        self._refuse_before(on, begins)
        self.status, self.attended_on = "attended", on
        return TrainingAttended(on=on)

    def complete(
        self, member: Member, on: date, begins: date | None, cost: Money | None, **outcome: Any
    ) -> TrainingCompleted:
        """Have finished it, at a cost for the department of that day."""
        self._refuse_unless("assigned", "attended")
        if self.attended_on is None:
            self._refuse_before(on, begins)
        self._refuse_finished_before(on)
        position = member.position(on)
        self.status, self.completed_on, self.attended_on = "completed", on, self.attended_on or on
        self.cost, self.department = cost, position["department"]
        for name, value in outcome.items():
            setattr(self, name, value)
        return TrainingCompleted(**self._finished())

    def correct(self, member: Member, **said: Any) -> TrainingCorrected | TrainingDescribed | None:
        """Put right what was said of its end."""
        self._refuse_unless("completed")
        if all(getattr(self, name) == value for name, value in said.items()):
            return None
        told = self._finished()
        assert self.completed_on is not None, "what is completed was so on a day"
        on: date = said.get("completed_on") or self.completed_on
        self._refuse_finished_before(on)
        for name, value in said.items():
            setattr(self, name, value)
        self.department = member.position(on)["department"]
        finished = self._finished()
        return TrainingCorrected(**finished) if finished != told else TrainingDescribed()

    def cancel(self, on: date) -> TrainingCancelled:
        """Not take it after all."""
        self._refuse_unless("assigned", "attended")
        self.status, self.cancelled_on = "cancelled", on
        return TrainingCancelled(on=on)

    def forget(self) -> TrainingDescribed | None:
        """Forget what the member said of it; what it cost and when it was stays."""
        if self.comment is None:
            return None
        self.comment = None
        return TrainingDescribed()

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it was not assigned yet."""
        if day < self.assigned_on:
            return None
        unknown: dict[str, Any] = {}
        for name in ("attended_on", "completed_on", "cancelled_on"):
            happened = getattr(self, name)
            if happened is not None and happened > day:
                unknown[name] = None
        if "completed_on" in unknown:
            blank = ("score_before", "score_after", "rating", "comment", "cost", "department")
            unknown |= dict.fromkeys(blank)
        if not unknown:
            return {}
        begun = self.attended_on is not None and self.attended_on <= day
        return unknown | {"status": "attended" if begun else "assigned"}

    def _finished(self) -> dict[str, Any]:
        return {
            "member": self.member,
            "course": self.course,
            "on": self.completed_on,
            "department": self.department,
            "cost": self.cost,
        }

    def _refuse_unless(self, *needed: str) -> None:
        if self.status not in needed:
            raise TrainingIs(status=self.status, needed=" or ".join(needed))

    def _refuse_before(self, on: date, begins: date | None) -> None:
        if on < self.assigned_on:
            raise AttendedBeforeAssigned(assigned=self.assigned_on, on=on)
        if begins is not None and on < begins:
            raise AttendedBeforeTheSession(begins=begins, on=on)

    def _refuse_finished_before(self, on: date) -> None:
        if self.attended_on is not None and on < self.attended_on:
            raise FinishedBeforeItBegan(began=self.attended_on, on=on)


class Check(Entity, table=True):
    """The check at the end of a training, whose id it has: told apart, since not everybody who may know of a training
    may know its score."""

    __tablename__ = "training_check"
    kind: ClassVar[str] = "check"

    score: int | None = None
    scored_on: date | None = None

    def mark_as(self, score: int | None, on: date) -> CheckScored | None:
        """Have this score, of a check on a day; none takes it back."""
        if (score, on if score is not None else None) == (self.score, self.scored_on):
            return None
        self.score, self.scored_on = score, on if score is not None else None
        return CheckScored(score=score, on=on)


def _refuse_due_before(on: date, due: date | None) -> None:
    if due is not None and due < on:
        raise DueBeforeAssigned(on=on, due=due)
