"""Series, the meetings they lead to, what is on the table, and what is agreed there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from sqlmodel import Field

from shared.errors import Refused
from shared.events.meetings import (
    ActionAgreed,
    ActionDone,
    ItemRaised,
    ItemReopened,
    ItemResolved,
    MeetingCalled,
    MeetingCancelled,
    MeetingEnded,
    MeetingStarted,
    SeriesChanged,
    SeriesEnded,
    SeriesPlanned,
)  # fmt: skip
from shared.store import Entity
from shared.store.types import Json, Moment


class NotAnOccurrence(Refused):
    """The series does not meet at {at}; its next meeting after that is at {following}."""

    status, at = 422, "/starts_at"


class SeriesIsEnded(Refused):
    """This series ended on {on}."""


class MeetingIs(Refused):
    """This meeting is {status}; only one that is {needed} can do that."""


class ItemIsResolved(Refused):
    """This item was resolved on {on}."""


class ItemIsOpen(Refused):
    """This item is on the table; there is nothing to reopen."""


class ActionIsDone(Refused):
    """This action was done on {on}."""


class Series(Entity, table=True):
    """Meetings that come again by a rule, at the same wall-clock time."""

    kind: ClassVar[str] = "series"
    prefix: ClassVar[str] = "srs"
    shown_as: ClassVar[dict[str, str]] = {"form": "kind"}

    name: str
    form: str
    teams: list[str] = Field(default_factory=list, sa_type=Json)
    departments: list[str] = Field(default_factory=list, sa_type=Json)
    rrule: str
    zone: str
    starts_at: datetime = Field(sa_type=Moment)
    minutes: int = 60
    ended_on: date | None = None

    @classmethod
    def plan(cls, **fields: Any) -> tuple[Self, SeriesPlanned]:
        """Plan to meet again and again."""
        series = cls.make(**fields)
        return series, SeriesPlanned(
            form=series.form,
            teams=tuple(series.teams),
            departments=tuple(series.departments),
            externals=series.externals,
        )

    def change(self, **fields: Any) -> SeriesChanged | None:
        """Meet by another rule, or under another name."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        self._refuse_if_ended()
        for name, value in new.items():
            setattr(self, name, value)
        return SeriesChanged()

    def end(self, on: date) -> SeriesEnded:
        """Meet no more from a day on."""
        self._refuse_if_ended()
        self.ended_on = on
        return SeriesEnded(on=on)

    def occurrences(self, after: datetime, before: datetime) -> Iterator[datetime]:
        """When the series meets between two moments. The wall clock rules: 09:00 stays 09:00 in summer and winter."""
        zone = ZoneInfo(self.zone)
        local = self.starts_at.astimezone(zone).replace(tzinfo=None)
        rule = rrulestr(self.rrule, dtstart=local)
        begin, end = (moment.astimezone(zone).replace(tzinfo=None) for moment in (after, before))
        for at in rule.between(begin - timedelta(seconds=1), end, inc=True):
            if self.ended_on is None or at.date() < self.ended_on:
                yield at.replace(tzinfo=zone)

    def call(self, starts_at: datetime, on: date, **identity: Any) -> tuple[Meeting, MeetingCalled]:
        """Make one of its occurrences a meeting."""
        self._refuse_if_ended()
        horizon = starts_at + timedelta(days=400)
        following = next(self.occurrences(starts_at, horizon), None)
        if following != starts_at:
            raise NotAnOccurrence(at=starts_at.isoformat(), following=following.isoformat() if following else "none")
        return Meeting.call(
            name=self.name, starts_at=starts_at, minutes=self.minutes, on=on, series=self.id, **identity
        )

    def _refuse_if_ended(self) -> None:
        if self.ended_on is not None:
            raise SeriesIsEnded(on=self.ended_on)


class Meeting(Entity, table=True):
    """People meet at a time."""

    kind: ClassVar[str] = "meeting"
    prefix: ClassVar[str] = "mtg"

    name: str
    series: str | None = Field(default=None, index=True)
    starts_at: datetime = Field(sa_type=Moment)
    minutes: int = 60
    status: str = "called"
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    protocol: str | None = None

    @classmethod
    def call(cls, *, on: date, **fields: Any) -> tuple[Self, MeetingCalled]:
        """Call a meeting; `on` is its day in the organisation's time zone."""
        meeting = cls.make(**fields)
        return meeting, MeetingCalled(on=on, series=meeting.series, externals=meeting.externals)

    def start(self, at: datetime) -> MeetingStarted:
        """Begin."""
        self._refuse_unless("called")
        self.status, self.started_at = "running", at
        return MeetingStarted()

    def end(self, at: datetime, protocol: str | None) -> MeetingEnded:
        """Be over, with minutes."""
        self._refuse_unless("running")
        self.status, self.ended_at, self.protocol = "ended", at, protocol
        return MeetingEnded()

    def cancel(self) -> MeetingCancelled:
        """Not take place."""
        self._refuse_unless("called")
        self.status = "cancelled"
        return MeetingCancelled()

    def _refuse_unless(self, needed: str) -> None:
        if self.status != needed:
            raise MeetingIs(status=self.status, needed=needed)


class Item(Entity, table=True):
    """Something on the table: news, a problem, a report or a question. It stays until it is resolved."""

    kind: ClassVar[str] = "item"

    shown_as: ClassVar[dict[str, str]] = {"sort": "kind"}

    sort: str
    title: str
    about: str | None = None
    note: str | None = None
    meeting: str | None = Field(default=None, index=True)
    series: str | None = Field(default=None, index=True)
    raised_by: str | None = None
    raised_on: date
    resolved_on: date | None = None

    @classmethod
    def bring_up(cls, *, raised_on: date, **fields: Any) -> tuple[Self, ItemRaised]:
        """Bring something up."""
        item = cls.make(raised_on=raised_on, **fields)
        return item, ItemRaised(
            sort=item.sort,
            on=raised_on,
            meeting=item.meeting,
            series=item.series,
            raised_by=item.raised_by,
            externals=item.externals,
        )

    def resolve(self, on: date, note: str | None) -> ItemResolved:
        """Take it off the table."""
        if self.resolved_on is not None:
            raise ItemIsResolved(on=self.resolved_on)
        self.resolved_on, self.note = on, note or self.note
        return ItemResolved(on=on)

    def reopen(self, on: date) -> ItemReopened:
        """Put it on the table again."""
        if self.resolved_on is None:
            raise ItemIsOpen
        self.resolved_on = None
        return ItemReopened(on=on)


class Action(Entity, table=True):
    """What somebody has agreed to do by a day."""

    kind: ClassVar[str] = "action"
    prefix: ClassVar[str] = "act"

    title: str
    owner: str = Field(index=True)
    helpers: list[str] = Field(default_factory=list, sa_type=Json)
    item: str | None = Field(default=None, index=True)
    due: date
    done_on: date | None = None

    @classmethod
    def agree(cls, *, owner: str, due: date, **fields: Any) -> tuple[Self, ActionAgreed]:
        """Agree on something to be done."""
        action = cls.make(owner=owner, due=due, **fields)
        return action, ActionAgreed(
            owner=owner, due=due, item=action.item, helpers=tuple(action.helpers), externals=action.externals
        )

    def done(self, on: date) -> ActionDone:
        """Have it done."""
        if self.done_on is not None:
            raise ActionIsDone(on=self.done_on)
        self.done_on = on
        return ActionDone(on=on)
