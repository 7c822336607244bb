"""Meetings: called, begun, ended or cancelled, by themselves or as one of a series."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from sqlmodel import Field

from shared.errors import Refused
from shared.events.meetings import (
    AttendanceNoted,
    MeetingCalled,
    MeetingCancelled,
    MeetingChanged,
    MeetingEnded,
    MeetingStarted,
)
from shared.store import Entity
from shared.store.types import Json, Moment


class MeetingIs(Refused):
    """This meeting is {status}; only one that is {needed} can do that."""


class EndsBeforeStart(Refused):
    """This meeting began at {began}; it cannot end at {ended}."""

    status, at = 422, "/at"


class NotInvited(Refused):
    """{member} is not invited to this meeting; invite them first."""

    status, at = 422, "/member"


class RepliedTooLate(Refused):
    """This meeting is {status}; whoever was there is noted as present or excused."""

    at = "/status"


class NotThereYet(Refused):
    """This meeting has not begun; nobody is noted as present yet."""

    at = "/status"


class NoFiguresForIt(Refused):
    """This is a {kind} meeting; figures of a period are frozen for a joint one."""

    status, at = 422, "/period"


REPLIES = ("accepted", "tentative", "declined")
"""What is answered to an invitation."""


class Meeting(Entity, table=True):
    """People meet at a time."""

    __table_args__ = (sa.Index("meeting_starts", "starts_at"),)
    kind: ClassVar[str] = "meeting"
    prefix: ClassVar[str] = "mtg"
    hidden: ClassVar[frozenset[str]] = frozenset({"attendance"})
    shown_as: ClassVar[dict[str, str]] = {"form": "kind"}

    name: str
    form: str = "team"
    teams: list[str] = Field(default_factory=list, sa_type=Json)
    departments: list[str] = Field(default_factory=list, sa_type=Json)
    series: str | None = Field(default=None, index=True)
    occurrence: datetime | None = Field(default=None, sa_type=Moment)
    """The planned time it stands for; it stays when the meeting is moved."""
    starts_at: datetime = Field(sa_type=Moment)
    on: date
    """Its day in the organisation's time zone."""
    minutes: int = 60
    template: str | None = None
    review: str | None = None
    """The review on which it was decided that they meet."""
    option: str | None = None
    sections: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """What its agenda began with: `{"name", "items"}`, each with the ids of its items."""
    status: str = "called"
    period: str | None = None
    """Of which figures are frozen for it when it starts, if not of its quarter."""
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    minutes_text: str | None = None
    attendance: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """By member what they answered, or whether they were there; guests are in it from their invitation on."""

    @classmethod
    def call(
        cls, guests: Sequence[str] = (), answers: Mapping[str, str] | None = None, **fields: Any
    ) -> tuple[Self, MeetingCalled]:
        """Call a meeting, with guests from elsewhere, and with what is answered to its series."""
        answers = dict(answers or {})
        meeting = cls.make(attendance=dict.fromkeys(guests, "invited") | answers, **fields)
        return meeting, MeetingCalled(
            **meeting._told(), template=meeting.template, review=meeting.review, option=meeting.option,
            guests=tuple(guests), answers=answers, externals=meeting.externals,
        )  # fmt: skip

    def change(self, **fields: Any) -> MeetingChanged | None:
        """Meet at another time, or under another name; once begun, only the name may change. What was answered to
        another time is asked again."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        if set(new) != {"name"}:
            self._refuse_unless("called")
        for name, value in new.items():
            setattr(self, name, value)
        again = self._ask_again() if new.keys() & {"starts_at", "minutes"} else ()
        return MeetingChanged(**self._told(), asked_again=again)

    def start(self, at: datetime, on: date, period: str | None = None) -> MeetingStarted:
        """Begin; a joint meeting perhaps about the figures of a period."""
        self._refuse_unless("called")
        if period is not None and self.form != "joint":
            raise NoFiguresForIt(kind=self.form)
        self.status, self.started_at, self.on, self.period = "running", at, on, period
        return MeetingStarted(on=on, period=period)

    def attend(self, said: Mapping[str, str], invited: Collection[str]) -> AttendanceNoted | None:
        """Invite guests, note what members answer, and who is there; `invited` are those of its teams and
        departments."""
        new = {member: status for member, status in said.items() if self.attendance.get(member) != status}
        for member, status in new.items():
            if status != "invited" and member not in invited and member not in self.attendance:
                raise NotInvited(member=member)
            if status in ("invited", *REPLIES) and self.status in ("ended", "cancelled"):
                raise RepliedTooLate(status=self.status)
            if status == "present" and self.status in ("called", "cancelled"):
                raise NotThereYet
        if not new:
            return None
        self.attendance = self.attendance | new
        return AttendanceNoted(members=new)

    def invite(self, guests: Collection[str]) -> AttendanceNoted | None:
        """Invite guests, those who are invited already apart."""
        return self.attend({each: "invited" for each in guests if each not in self.attendance}, ())

    def end(self, at: datetime, on: date, minutes_text: str | None) -> MeetingEnded:
        """Be over, with the minutes that were taken."""
        self._refuse_unless("running")
        began = self.started_at or self.starts_at
        if at < began:
            raise EndsBeforeStart(began=began.isoformat(), ended=at.isoformat())
        self.status, self.ended_at, self.minutes_text = "ended", at, minutes_text
        return MeetingEnded(on=on, lasted=int((at - began).total_seconds() // 60))

    def cancel(self) -> MeetingCancelled:
        """Not take place."""
        self._refuse_unless("called")
        self.status = "cancelled"
        return MeetingCancelled()

    def _ask_again(self) -> tuple[str, ...]:
        answered = tuple(sorted(member for member, status in self.attendance.items() if status != "invited"))
        self.attendance = self.attendance | dict.fromkeys(answered, "invited")
        return answered

    def _told(self) -> dict[str, Any]:
        return {
            "on": self.on,
            "starts_at": self.starts_at,
            "minutes": self.minutes,
            "kind": self.form,
            "teams": tuple(self.teams),
            "departments": tuple(self.departments),
            "series": self.series,
        }

    def _refuse_unless(self, needed: str) -> None:
        if self.status != needed:
            raise MeetingIs(status=self.status, needed=needed)
