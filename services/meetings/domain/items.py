"""Items: what is on the table of a meeting or a series, until it is resolved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain import spells
from shared.errors import Refused
from shared.events.items import ItemAnswered, ItemChanged, ItemRaised, ItemReopened, ItemResolved
from shared.store import Entity
from shared.store.types import Json


class ItemIsResolved(Refused):
    """This item was resolved on {on}; reopen it first."""


class ItemIsOpen(Refused):
    """This item is on the table; there is nothing to reopen."""


class NotAQuestion(Refused):
    """This is a {kind}; departments answer questions."""


class OnlyQuestionsArePut(Refused):
    """This is a {kind}; only a question is put to departments."""

    status, at = 422, "/to"


class WasNotAsked(Refused):
    """This question was put to {to}; {department} was not asked."""

    status, at = 422, "/department"


class NotAllHaveAnswered(Refused):
    """{waiting} did not answer yet; say in a note why this question is closed without them."""

    at = "/note"


class AnswersForAnother(Refused):
    """{member} is not in {department} on {on} and leads no team of it; only who is or does answers for it."""

    at = "/department"


class ToolOfAnother(Refused):
    """A tool answers for its own department and for those whose views it reads; this one is of {own} and does not hold
    views.{department}:read."""

    at = "/department"


class Item(Entity, table=True):
    """Something on the table: news, a problem, a report or a question. It stays until it is resolved."""

    kind: ClassVar[str] = "item"
    hidden: ClassVar[frozenset[str]] = frozenset({"resolvers"})
    shown_as: ClassVar[dict[str, str]] = {"sort": "kind"}

    sort: str
    title: str
    about: str | None = None
    department: str | None = Field(default=None, index=True)
    """Which it is about, or addressed to."""
    to: list[str] = Field(default_factory=list, sa_type=Json)
    """The departments that a question is put to."""
    note: str | None = None
    meeting: str | None = Field(default=None, index=True)
    series: str | None = Field(default=None, index=True)
    raised_by: str | None = None
    presenter: str | None = None
    minutes: int | None = None
    """How long it is meant to take."""
    position: int | None = None
    """Its place on the agenda; those without one come after those with."""
    answers: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Of a question: `{"department", "text", "on", "by"}`, the latest of each department."""
    raised_on: date
    status: str = Field(default="open", index=True)
    resolved_on: date | None = None
    resolved_by: list[str] = Field(default_factory=list, sa_type=Json)
    resolvers: dict[str, list[str]] = Field(default_factory=dict, sa_type=Json)
    """By the day of a resolution who brought it about."""
    decision: str | None = None
    """The outcome that closed a question put to departments."""
    opened: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it came on the table."""
    closed: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it was resolved."""

    @classmethod
    def bring_up(cls, *, raised_on: date, **fields: Any) -> tuple[Self, ItemRaised]:
        """Bring something up."""
        _refuse_unless_question(fields["sort"], fields.get("to", ()))
        item = cls.make(raised_on=raised_on, opened=[raised_on.isoformat()], **fields)
        return item, ItemRaised(**item._told(), externals=item.externals)

    def change(self, **fields: Any) -> ItemChanged | None:
        """Describe it differently, or put it on another table."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        if self.status == "resolved" and set(new) - {"title", "about", "position"}:
            raise ItemIsResolved(on=self.resolved_on)
        _refuse_unless_question(new.get("sort", self.sort), new.get("to", self.to))
        self.opened = spells.begin(self.opened, self.closed, new.get("raised_on", self.raised_on))
        for name, value in new.items():
            setattr(self, name, value)
        return ItemChanged(**self._told())

    def answer(self, department: str, text: str, on: date, by: str | None) -> ItemAnswered:
        """Answer a question for a department; another answer takes the place of the one before."""
        if self.sort != "question":
            raise NotAQuestion(kind=self.sort)
        if self.status == "resolved":
            raise ItemIsResolved(on=self.resolved_on)
        if self.to and department not in self.to:
            raise WasNotAsked(to=", ".join(self.to), department=department)
        others = [each for each in self.answers if each["department"] != department]
        answer = {"department": department, "text": text, "on": on.isoformat(), "by": by}
        self.answers = sorted([*others, answer], key=lambda each: str(each["department"]))
        return ItemAnswered(department=department, on=on)

    @property
    def waiting_for(self) -> list[str]:
        """The departments that a question is put to and that did not answer yet."""
        answered = {each["department"] for each in self.answers}
        return [each for each in self.to if each not in answered]

    def decide(self, decision: str, on: date, note: str | None, by: Sequence[str] = ()) -> ItemResolved:
        """Close a question put to departments by a decision."""
        resolved = self.resolve(on, note, by)
        self.decision = decision
        return resolved

    def resolve(self, on: date, note: str | None, by: Sequence[str] = ()) -> ItemResolved:
        """Take it off the table, by what these members did; a question not all have answered, with a note."""
        if self.status == "resolved":
            raise ItemIsResolved(on=self.resolved_on)
        if self.waiting_for and not note:
            raise NotAllHaveAnswered(waiting=", ".join(self.waiting_for))
        self.closed = spells.close(self.opened, self.closed, on)
        self.status, self.resolved_on, self.note = "resolved", on, note or self.note
        self.resolved_by = list(by)
        self.resolvers = self.resolvers | {on.isoformat(): self.resolved_by}
        return ItemResolved(on=on, by=tuple(by))

    def reopen(self, on: date) -> ItemReopened:
        """Put it on the table again."""
        if self.status == "open":
            raise ItemIsOpen
        self.opened = spells.reopen(self.opened, self.closed, on)
        self.status, self.resolved_on, self.resolved_by, self.decision = "open", None, [], None
        return ItemReopened(on=on)

    def on_table(self, day: date) -> bool:
        """Whether it was still, or newly, on the table on a day."""
        return spells.open_on(day, self.opened, self.closed)

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it was not there yet."""
        if day < self.raised_on:
            return None
        if spells.open_after(day, self.opened, self.closed):
            return {"status": "open", "resolved_on": None, "resolved_by": [], "note": None, "decision": None}
        before = [each for each in self.closed if each <= day.isoformat()]
        by = self.resolvers.get(before[-1], [])
        return {"status": "resolved", "resolved_on": before[-1], "resolved_by": by}

    def _told(self) -> dict[str, Any]:
        return {
            "kind": self.sort,
            "on": self.raised_on,
            "meeting": self.meeting,
            "series": self.series,
            "raised_by": self.raised_by,
            "presenter": self.presenter,
            "department": self.department,
            "to": tuple(self.to),
        }


def _refuse_unless_question(sort: str, to: Sequence[str]) -> None:
    if to and sort != "question":
        raise OnlyQuestionsArePut(kind=sort)
