"""Requests between departments: asked, promised, resolved, and reopened when they were not."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Self

from sqlmodel import Field

from shared.errors import Refused
from shared.events.meetings import RequestMade, RequestPromised, RequestReopened, RequestResolved
from shared.store import Entity
from shared.store.types import Moment


class RequestIsResolved(Refused):
    """This request was resolved on {on}; reopen it first."""


class RequestIsOpen(Refused):
    """This request is open; there is nothing to reopen."""


class ResolvedBeforeAsked(Refused):
    """A request of {asked} cannot be resolved on {on}."""

    status, at = 422, "/at"


class Request(Entity, table=True):
    """Something one department asks of another."""

    kind: ClassVar[str] = "request"
    prefix: ClassVar[str] = "req"
    shown_as: ClassVar[dict[str, str]] = {"asks_for": "kind"}

    asks_for: str
    title: str
    from_department: str = Field(index=True)
    to_department: str = Field(index=True)
    from_member: str | None = None
    to_member: str | None = None
    asked_at: datetime = Field(sa_type=Moment)
    promised_by: date | None = None
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    note: str | None = None
    reopened: int = 0
    reopened_at: datetime | None = Field(default=None, sa_type=Moment)
    reopening_reason: str | None = None

    @classmethod
    def ask(cls, *, asked_at: datetime, on: date, **fields: Any) -> tuple[Self, RequestMade]:
        """Ask for something; `on` is the day it has in the organisation's time zone."""
        request = cls.make(asked_at=asked_at, **fields)
        return request, RequestMade(
            asks_for=request.asks_for,
            on=on,
            from_department=request.from_department,
            to_department=request.to_department,
            from_member=request.from_member,
            to_member=request.to_member,
            promised_by=request.promised_by,
            externals=request.externals,
        )

    def promise(self, by: date) -> RequestPromised | None:
        """Say by when it will be done."""
        self._refuse_if_resolved()
        if by == self.promised_by:
            return None
        self.promised_by = by
        return RequestPromised(by=by)

    def resolve(self, at: datetime, on: date, note: str | None) -> RequestResolved:
        """Say that it is done."""
        self._refuse_if_resolved()
        begun = self.reopened_at or self.asked_at
        if at < begun:
            raise ResolvedBeforeAsked(asked=begun.isoformat(), on=at.isoformat())
        self.resolved_at, self.note = at, note
        return RequestResolved(on=on, hours=int((at - begun).total_seconds() // 3600))

    def reopen(self, at: datetime, on: date, reason: str) -> RequestReopened:
        """Say that it was not done after all."""
        if self.resolved_at is None:
            raise RequestIsOpen
        self.resolved_at, self.reopened_at, self.reopening_reason = None, at, reason
        self.reopened += 1
        return RequestReopened(on=on)

    def _refuse_if_resolved(self) -> None:
        if self.resolved_at is not None:
            raise RequestIsResolved(on=self.resolved_at.isoformat())
