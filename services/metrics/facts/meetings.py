"""Meetings, what was on their tables and what was agreed there, as the views see them.

Their kinds stand along dimensions of their own, `meeting_kind` and `item_kind`: along `kind` stand what is requested
and what is spent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.events.items import (
    ActionAgreed,
    ActionCancelled,
    ActionChanged,
    ActionDone,
    ActionReopened,
    ItemChanged,
    ItemRaised,
    ItemReopened,
    ItemResolved,
)
from shared.events.meetings import (
    AttendanceNoted,
    MeetingCalled,
    MeetingCancelled,
    MeetingChanged,
    MeetingEnded,
    MeetingStarted,
    OutcomeChanged,
    OutcomeRecorded,
    OutcomeWithdrawn,
)
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json


class MeetingFact(Fact, table=True):
    """A meeting: by whom, on which day, and what became of it."""

    __tablename__ = "meeting_fact"
    __table_args__ = (sa.Index("meeting_fact_on", "on"),)
    kind: ClassVar[str] = "meeting"

    form: str = ""
    on: date | None = None
    series: str | None = None
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided that they meet."""
    option: str | None = None
    teams: list[str] = Field(default_factory=list, sa_type=Json)
    departments: list[str] = Field(default_factory=list, sa_type=Json)
    status: str = "called"
    period: str | None = None
    """Of which figures are frozen for it, if not of its quarter."""
    lasted: int = 0
    """Whole minutes."""
    attendance: dict[str, str] = Field(default_factory=dict, sa_type=Json)
    """By member `invited`, `accepted`, `tentative`, `declined`, `present` or `excused`, whatever was noted last. Who
    is invited as one of a team or department that meets stands here only once they have answered."""


class ItemFact(Fact, table=True):
    """An item: of which kind, on whose table, about which department, and from when until when."""

    __tablename__ = "item_fact"
    __table_args__ = (sa.Index("item_fact_raised", "raised_on"),)
    kind: ClassVar[str] = "item"

    sort: str = ""
    meeting: str | None = None
    series: str | None = None
    raised_on: date | None = None
    raised_by: str | None = None
    department: str | None = None
    to: list[str] = Field(default_factory=list, sa_type=Json)
    """The departments that a question is put to."""
    resolutions: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Each resolution: `{"on", "by"}` with the members who resolved it."""
    reopenings: list[str] = Field(default_factory=list, sa_type=Json)

    def open_before(self, day: date) -> bool:
        """Whether it was still, or again, on a table when a day began."""
        text = day.isoformat()
        if self.raised_on is None or self.raised_on >= day:
            return False
        return 1 + sum(on < text for on in self.reopenings) > sum(str(each["on"]) < text for each in self.resolutions)


class ActionFact(Fact, table=True):
    """An action: whose, with whom, for which goal, due when, and done when."""

    __tablename__ = "action_fact"
    __table_args__ = (sa.Index("action_fact_owner", "owner", "due"), sa.Index("action_fact_judged", "judged_by"))
    kind: ClassVar[str] = "action"

    owner: str = ""
    helpers: list[str] = Field(default_factory=list, sa_type=Json)
    asked_by: str | None = None
    item: str | None = None
    meeting: str | None = None
    goal: str | None = None
    review: str | None = Field(default=None, index=True)
    """The review on which it was decided."""
    option: str | None = None
    agreed_on: date | None = None
    due: date | None = None
    judged_by: date | None = None
    """The day that counts: the one agreed at first, or the last that who asked for it has agreed to."""
    done: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Each time it was done: `{"on", "on_time"}`."""
    reopenings: list[str] = Field(default_factory=list, sa_type=Json)
    cancelled_on: date | None = None

    @property
    def counts(self) -> bool:
        """Whether it was to be done by its day: what was cancelled before it was not, what was later had been."""
        return self.cancelled_on is None or self.judged_by is None or self.cancelled_on > self.judged_by

    def to_do_before(self, day: date) -> bool:
        """Whether it was still, or again, to be done when a day began."""
        text = day.isoformat()
        if self.agreed_on is None or self.agreed_on >= day:
            return False
        if self.cancelled_on is not None and self.cancelled_on < day:
            return False
        return 1 + sum(on < text for on in self.reopenings) > sum(str(each["on"]) < text for each in self.done)


class OutcomeFact(Fact, table=True):
    """A result of a meeting: an information, a decision or an action."""

    __tablename__ = "outcome_fact"
    __table_args__ = (sa.Index("outcome_fact_on", "on"),)
    kind: ClassVar[str] = "outcome"

    sort: str = ""
    meeting: str = ""
    on: date | None = None
    item: str | None = None
    action: str | None = None
    withdrawn: bool = False


def of_meeting(meeting: MeetingFact) -> Iterator[Cell]:
    """A meeting that was held adds itself and its length, for the whole and for each who met."""
    if meeting.on is None or meeting.status != "ended":
        return
    along = {ALL: "", "meeting_kind": meeting.form}
    yield from cells("held", meeting.on, along, took=meeting.lasted * 60)
    for dim, keys in (("team", meeting.teams), ("department", meeting.departments)):
        for key in keys:
            yield from cells("held", meeting.on, {dim: key}, took=meeting.lasted * 60)


def of_item(item: ItemFact) -> Iterator[Cell]:
    """An item adds its raising, each resolution and each reopening, along its kind."""
    if item.raised_on is None:
        return
    along = {ALL: "", "item_kind": item.sort}
    yield from cells("raised", item.raised_on, along)
    for each in item.resolutions:
        yield from cells("settled", date.fromisoformat(each["on"]), along)
    for day in item.reopenings:
        yield from cells("raised_again", date.fromisoformat(day), along)


def of_action(action: ActionFact) -> Iterator[Cell]:
    """An action adds its agreement, each time it was done, on time or late, and each reopening, for its owner."""
    if action.agreed_on is None:
        return
    along = {ALL: "", "member": action.owner}
    yield from cells("agreed", action.agreed_on, along)
    for each in action.done:
        on = date.fromisoformat(each["on"])
        yield from cells("done", on, along)
        yield from cells("done_on_time" if each["on_time"] else "done_late", on, along)
    for day in action.reopenings:
        yield from cells("undone", date.fromisoformat(day), along)
    if action.cancelled_on is not None:
        yield from cells("called_off", action.cancelled_on, along)


meetings = Facts(MeetingFact, sums=Tally, cells=of_meeting)
items = Facts(ItemFact, sums=Tally, cells=of_item)
actions = Facts(ActionFact, sums=Tally, cells=of_action)
outcomes = Facts(OutcomeFact)


@meetings.on(MeetingCalled)
def call(meeting: MeetingFact, event: MeetingCalled) -> None:
    meeting.on, meeting.form, meeting.series = event.on, event.kind, event.series
    meeting.teams, meeting.departments = list(event.teams), list(event.departments)
    meeting.review, meeting.option = event.review, event.option
    meeting.attendance = dict.fromkeys(event.guests, "invited") | event.answers


@meetings.on(MeetingChanged)
def move(meeting: MeetingFact, event: MeetingChanged) -> None:
    meeting.on, meeting.form = event.on, event.kind
    # Events of the first days do not say the series, and no meeting leaves one but for that which goes on from it.
    meeting.series = event.series or meeting.series
    meeting.teams, meeting.departments = list(event.teams), list(event.departments)
    meeting.attendance = meeting.attendance | dict.fromkeys(event.asked_again, "invited")


@meetings.on(MeetingStarted)
def start(meeting: MeetingFact, event: MeetingStarted) -> None:
    meeting.on, meeting.status, meeting.period = event.on, "running", event.period


@meetings.on(AttendanceNoted)
def attend(meeting: MeetingFact, event: AttendanceNoted) -> None:
    meeting.attendance = meeting.attendance | event.members


@meetings.on(MeetingEnded)
def end(meeting: MeetingFact, event: MeetingEnded) -> None:
    meeting.status, meeting.lasted = "ended", event.lasted


@meetings.on(MeetingCancelled)
def cancel(meeting: MeetingFact, event: MeetingCancelled) -> None:
    meeting.status = "cancelled"


@items.on(ItemRaised)
@items.on(ItemChanged)
def raise_item(item: ItemFact, event: ItemRaised | ItemChanged) -> None:
    item.sort, item.raised_on, item.meeting, item.series = event.kind, event.on, event.meeting, event.series
    item.raised_by, item.department, item.to = event.raised_by, event.department, list(event.to)


@items.on(ItemResolved)
def settle(item: ItemFact, event: ItemResolved) -> None:
    item.resolutions = [*item.resolutions, {"on": event.on.isoformat(), "by": list(event.by)}]


@items.on(ItemReopened)
def raise_again(item: ItemFact, event: ItemReopened) -> None:
    item.reopenings = [*item.reopenings, event.on.isoformat()]


@actions.on(ActionAgreed)
def agree(action: ActionFact, event: ActionAgreed) -> None:
    describe(action, event)
    action.judged_by = event.due
    action.review, action.option = event.review, event.option


@actions.on(ActionChanged)
def agree_anew(action: ActionFact, event: ActionChanged) -> None:
    describe(action, event)
    # What is put right on the day it was agreed is what was agreed; an action told before there was a day is late.
    if event.due_agreed or (event.changed_on is not None and event.changed_on <= event.on):
        action.judged_by = event.due


def describe(action: ActionFact, event: ActionAgreed | ActionChanged) -> None:
    action.owner, action.item, action.agreed_on, action.due = event.owner, event.item, event.on, event.due
    action.helpers, action.asked_by = list(event.helpers), event.asked_by
    action.meeting, action.goal = event.meeting, event.goal


@actions.on(ActionDone)
def finish(action: ActionFact, event: ActionDone) -> None:
    action.done = [*action.done, {"on": event.on.isoformat(), "on_time": event.on_time}]


@actions.on(ActionReopened)
def undo(action: ActionFact, event: ActionReopened) -> None:
    action.reopenings = [*action.reopenings, event.on.isoformat()]


@actions.on(ActionCancelled)
def cancel_action(action: ActionFact, event: ActionCancelled) -> None:
    action.cancelled_on = event.on


@outcomes.on(OutcomeRecorded)
def record(outcome: OutcomeFact, event: OutcomeRecorded) -> None:
    outcome.sort, outcome.meeting, outcome.on = event.kind, event.meeting, event.on
    outcome.item, outcome.action = event.item, event.action


@outcomes.on(OutcomeChanged)
def reword(outcome: OutcomeFact, event: OutcomeChanged) -> None:
    outcome.item = event.item


@outcomes.on(OutcomeWithdrawn)
def withdraw(outcome: OutcomeFact, event: OutcomeWithdrawn) -> None:
    outcome.withdrawn = True
