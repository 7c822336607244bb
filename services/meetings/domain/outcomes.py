"""Outcomes: what a meeting resulted in, recorded while it is running and not changed afterwards."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain.meetings import Meeting, MeetingIs
from shared.errors import Refused
from shared.events.meetings import OutcomeChanged, OutcomeRecorded, OutcomeWithdrawn
from shared.store import Entity


class OutcomeIsWithdrawn(Refused):
    """This outcome was withdrawn."""


class Outcome(Entity, table=True):
    """A result of a meeting: an information, a decision or an action."""

    kind: ClassVar[str] = "outcome"
    prefix: ClassVar[str] = "out"
    shown_as: ClassVar[dict[str, str]] = {"sort": "kind"}

    meeting: str = Field(index=True)
    sort: str
    text: str
    item: str | None = Field(default=None, index=True)
    action: str | None = None
    on: date
    withdrawn: bool = False

    @classmethod
    def record(cls, meeting: Meeting, **fields: Any) -> tuple[Self, OutcomeRecorded]:
        """Record a result while the meeting is running."""
        _refuse_unless_running(meeting)
        outcome = cls.make(meeting=meeting.id, on=meeting.on, **fields)
        return outcome, OutcomeRecorded(
            kind=outcome.sort, meeting=meeting.id, on=meeting.on, item=outcome.item, action=outcome.action,
            externals=outcome.externals,
        )  # fmt: skip

    def change(self, meeting: Meeting, **fields: Any) -> OutcomeChanged | None:
        """Put it in other words while the meeting is running."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        _refuse_unless_running(meeting)
        if self.withdrawn:
            raise OutcomeIsWithdrawn
        for name, value in new.items():
            setattr(self, name, value)
        return OutcomeChanged(item=self.item)

    def withdraw(self, meeting: Meeting) -> OutcomeWithdrawn | None:
        """It was no result after all, which is found while the meeting is running."""
        if self.withdrawn:
            return None
        _refuse_unless_running(meeting)
        self.withdrawn = True
        return OutcomeWithdrawn()


def _refuse_unless_running(meeting: Meeting) -> None:
    if meeting.status != "running":
        raise MeetingIs(status=meeting.status, needed="running", pointer="/meeting")
