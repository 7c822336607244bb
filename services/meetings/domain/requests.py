"""Requests between departments: asked, promised, resolved, and reopened when they were not."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Self

from sqlmodel import Field

from services.meetings.domain import spells
from shared.errors import Refused
from shared.events.requests import RequestChanged, RequestMade, RequestPromised, RequestReopened, RequestResolved
from shared.store import Entity
from shared.store.types import Json, Moment


class RequestIsResolved(Refused):
    """This request was resolved at {at}; reopen it first."""


class RequestIsOpen(Refused):
    """This request is open; there is nothing to reopen."""


class PromisedBeforeAsked(Refused):
    """What was asked for on {asked} cannot be promised by {by}."""

    status, at = 422, "/promised_by"


class PromiseStays(Refused):
    """This was promised by {by}; a promise is replaced by another, not taken back."""

    at = "/promised_by"


class ResolvedBeforeAsked(Refused):
    """What was asked for at {asked} cannot be resolved at {at}."""

    status, at = 422, "/at"


class ReopenedBeforeResolved(Refused):
    """What was resolved at {resolved} cannot be reopened at {at}."""

    status, at = 422, "/at"


class Request(Entity, table=True):
    """Something one department asks of another."""

    kind: ClassVar[str] = "request"
    prefix: ClassVar[str] = "req"
    shown_as: ClassVar[dict[str, str]] = {"asks_for": "kind"}
    hidden: ClassVar[frozenset[str]] = frozenset(
        {"from_department", "from_member", "to_department", "to_member", "judged_by"}
    )

    asks_for: str
    title: str
    from_department: str = Field(index=True)
    from_member: str | None = None
    to_department: str = Field(index=True)
    to_member: str | None = None
    asked_at: datetime = Field(sa_type=Moment)
    asked_on: date
    """The day it was asked for, in the organisation's time zone."""
    promised_by: date | None = None
    judged_by: date | None = None
    """The promise that decides whether it is resolved on time: one that has been broken is not mended by a later."""
    status: str = Field(default="open", index=True)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    resolved_by: str | None = None
    on_time: bool | None = None
    note: str | None = None
    reopened: int = 0
    reopened_at: datetime | None = Field(default=None, sa_type=Moment)
    reopening_reason: str | None = None
    opened: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it was asked for, and reopened."""
    closed: list[str] = Field(default_factory=list, sa_type=Json)
    """The days on which it was resolved."""

    @classmethod
    def ask(cls, *, asked_on: date, promised_by: date | None = None, **fields: Any) -> tuple[Self, RequestMade]:
        """Ask for something."""
        _refuse_before(asked_on, promised_by)
        request = cls.make(
            asked_on=asked_on, promised_by=promised_by, judged_by=promised_by, opened=[asked_on.isoformat()], **fields
        )
        return request, RequestMade(**request._told(), externals=request.externals)

    def change(self, today: date, **fields: Any) -> RequestChanged | None:
        """Describe it differently, pass it on, or promise it by another day; once resolved, only its words change."""
        new = {name: value for name, value in fields.items() if getattr(self, name) != value}
        if not new:
            return None
        if self.resolved_at is not None and set(new) != {"title"}:
            raise RequestIsResolved(at=self.resolved_at.isoformat())
        asked_on = new.get("asked_on", self.asked_on)
        if "promised_by" in new and new["promised_by"] is None:
            raise PromiseStays(by=self.promised_by)
        _refuse_before(asked_on, new.get("promised_by", self.promised_by))
        self.opened = spells.begin(self.opened, self.closed, asked_on)
        for name, value in new.items():
            setattr(self, name, value)
        if "promised_by" in new:
            self._judge_by(new["promised_by"], today)
        return RequestChanged(**self._told(), changed_on=today)

    def promise(self, by: date, on: date) -> RequestPromised | None:
        """Say, on a day, by when it will be done."""
        if by == self.promised_by:
            return None
        if self.resolved_at is not None:
            raise RequestIsResolved(at=self.resolved_at.isoformat())
        _refuse_before(self.asked_on, by)
        self.promised_by = by
        self._judge_by(by, on)
        return RequestPromised(on=on, by=by)

    def resolve(self, at: datetime, on: date, note: str | None, by: str | None = None) -> RequestResolved:
        """Say that it is done; on time when by the day promised."""
        if self.resolved_at is not None:
            raise RequestIsResolved(at=self.resolved_at.isoformat())
        begun = self.reopened_at or self.asked_at
        if at < begun:
            raise ResolvedBeforeAsked(asked=begun.isoformat(), at=at.isoformat())
        judged_by = self.judged_by or self.promised_by
        self.on_time = None if judged_by is None else on <= judged_by
        self.closed = spells.close(self.opened, self.closed, on)
        self.status, self.resolved_at, self.resolved_by, self.note = "resolved", at, by, note
        return RequestResolved(on=on, seconds=int((at - begun).total_seconds()), on_time=self.on_time, by=by)

    def reopen(self, at: datetime, on: date, reason: str) -> RequestReopened:
        """Say that it was not done after all; the promise stands until a new one is made, which then counts."""
        if self.resolved_at is None:
            raise RequestIsOpen
        if at < self.resolved_at:
            raise ReopenedBeforeResolved(resolved=self.resolved_at.isoformat(), at=at.isoformat())
        self.opened = spells.reopen(self.opened, self.closed, on)
        self.status, self.resolved_at, self.on_time, self.judged_by = "open", None, None, None
        self.resolved_by = None
        self.reopened_at, self.reopening_reason = at, reason
        self.reopened += 1
        return RequestReopened(on=on)

    def to_do_on(self, day: date) -> bool:
        """Whether it was still, or again, to be done on a day."""
        return spells.open_on(day, self.opened, self.closed)

    def as_on(self, day: date) -> dict[str, Any] | None:
        """What it was at the end of a day; none when it had not been asked for yet."""
        if day < self.asked_on:
            return None
        if spells.open_after(day, self.opened, self.closed):
            return {"status": "open", "resolved_at": None, "resolved_by": None, "on_time": None, "note": None}
        return {"status": "resolved"}

    def _judge_by(self, by: date, on: date) -> None:
        if self.judged_by is None or on <= self.judged_by:
            self.judged_by = by

    def _told(self) -> dict[str, Any]:
        return {
            "kind": self.asks_for,
            "on": self.asked_on,
            "from_department": self.from_department,
            "to_department": self.to_department,
            "from_member": self.from_member,
            "to_member": self.to_member,
            "promised_by": self.promised_by,
        }


def _refuse_before(asked: date, by: date | None) -> None:
    if by is not None and by < asked:
        raise PromisedBeforeAsked(asked=asked, by=by)
