"""What meetings tells of what is on the table, and of who will do what by when.

Titles, notes and answers are free text; they stay with meetings.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from shared.events import Event, event


@event("concert.meetings.item-raised.v1")
class ItemRaised(Event):
    """News, a problem, a report or a question is on the table of a meeting or a series.

    It may be about a department; a question may be put to several, which then answer.
    """

    kind: str
    on: date
    meeting: str | None = None
    series: str | None = None
    raised_by: str | None = None
    presenter: str | None = None
    department: str | None = None
    to: tuple[str, ...] = ()
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.item-changed.v1")
class ItemChanged(Event):
    """An item is described differently or lies on another table; the event says all but the words."""

    kind: str
    on: date
    meeting: str | None = None
    series: str | None = None
    raised_by: str | None = None
    presenter: str | None = None
    department: str | None = None
    to: tuple[str, ...] = ()


@event("concert.meetings.item-answered.v1")
class ItemAnswered(Event):
    """A department has answered a question; the answer stays with meetings."""

    department: str
    on: date


@event("concert.meetings.item-resolved.v1")
class ItemResolved(Event):
    """An item is off the table, by what these members did."""

    on: date
    by: tuple[str, ...] = ()


@event("concert.meetings.item-reopened.v1")
class ItemReopened(Event):
    """An item is on the table again."""

    on: date


@event("concert.meetings.action-agreed.v1")
class ActionAgreed(Event):
    """Somebody will do something by a day, perhaps for somebody who asks for it."""

    on: date
    owner: str
    due: date
    item: str | None = None
    meeting: str | None = None
    helpers: tuple[str, ...] = ()
    goal: str | None = None
    asked_by: str | None = None
    review: str | None = None
    """The review on which it was decided."""
    option: str | None = None
    externals: dict[str, str] = field(default_factory=dict)


@event("concert.meetings.action-changed.v1")
class ActionChanged(Event):
    """An action has another owner, day, item, other helpers or other words; the event says all but the words."""

    on: date
    owner: str
    due: date
    item: str | None = None
    meeting: str | None = None
    helpers: tuple[str, ...] = ()
    goal: str | None = None
    asked_by: str | None = None
    changed_on: date | None = None
    due_agreed: bool = False
    """Whether who asked for it agrees to the day that it is due now."""


@event("concert.meetings.action-done.v1")
class ActionDone(Event):
    """What was agreed is done, by the day it was due or later."""

    on: date
    on_time: bool


@event("concert.meetings.action-reopened.v1")
class ActionReopened(Event):
    """What was thought done is not."""

    on: date


@event("concert.meetings.action-cancelled.v1")
class ActionCancelled(Event):
    """What was agreed need not be done after all."""

    on: date
