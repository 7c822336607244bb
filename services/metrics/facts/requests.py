"""Requests between departments as the views see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from services.metrics.sums import ALL, Tally, cells
from shared.events.requests import RequestChanged, RequestMade, RequestPromised, RequestReopened, RequestResolved
from shared.facts import Cell, Fact, Facts
from shared.store.types import Json


class RequestFact(Fact, table=True):
    """A request: who asked whom for what, and when it was resolved."""

    __tablename__ = "request_fact"
    __table_args__ = (
        sa.Index("request_fact_asked", "asked_on"),
        sa.Index("request_fact_from", "from_member", "asked_on"),
        sa.Index("request_fact_to", "to_member", "asked_on"),
        sa.Index("request_fact_resolved", "last_resolved_on"),
    )
    kind: ClassVar[str] = "request"

    asks_for: str = ""
    asked_on: date | None = None
    from_department: str = ""
    from_member: str | None = None
    to_department: str = ""
    to_member: str | None = None
    promised_by: date | None = None
    judged_by: date | None = None
    """The promise that decides whether it is resolved on time: one that has been broken is not mended by a later."""
    resolutions: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """Each resolution: `{"on", "seconds", "on_time", "by"}`."""
    reopenings: list[str] = Field(default_factory=list, sa_type=Json)
    resolved_on: date | None = None
    """The day it was resolved, unless it has been reopened."""
    last_resolved_on: date | None = None
    """The latest of its resolutions."""


def contributions(request: RequestFact) -> Iterator[Cell]:
    """What a request adds: its asking, each resolution with its time, each reopening; along who was asked and what.

    Along `pair` stands who asked whom, so that what sales asked of IT can be told from two sides. What happens to a
    request stays on its day: a request resolved, reopened and resolved again was resolved twice and reopened once.
    """
    if request.asked_on is None:
        return
    pair = f"{request.from_department}>{request.to_department}"
    along = {ALL: "", "department": request.to_department, "kind": request.asks_for, "pair": pair}
    yield from cells("asked", request.asked_on, along)
    for each in request.resolutions:
        on = date.fromisoformat(each["on"])
        yield from cells("resolved", on, along, took=each["seconds"])
        if each["on_time"] is not None:
            yield from cells("kept" if each["on_time"] else "missed", on, along)
    for day in request.reopenings:
        yield from cells("reopened", date.fromisoformat(day), along)


requests = Facts(RequestFact, sums=Tally, cells=contributions)


@requests.on(RequestMade)
def make(request: RequestFact, event: RequestMade) -> None:
    describe(request, event)
    request.promised_by = request.judged_by = event.promised_by


@requests.on(RequestChanged)
def change(request: RequestFact, event: RequestChanged) -> None:
    describe(request, event)
    if event.promised_by is not None and event.promised_by != request.promised_by:
        judge_by(request, event.promised_by, event.changed_on)


def describe(request: RequestFact, event: RequestMade | RequestChanged) -> None:
    request.asks_for, request.asked_on = event.kind, event.on
    request.from_department, request.to_department = event.from_department, event.to_department
    request.from_member, request.to_member = event.from_member, event.to_member


@requests.on(RequestPromised)
def promise(request: RequestFact, event: RequestPromised) -> None:
    judge_by(request, event.by, event.on)


def judge_by(request: RequestFact, by: date, on: date | None) -> None:
    """A promise counts unless it was made after the one before it had been broken."""
    request.promised_by = by
    if request.judged_by is None or (on is not None and on <= request.judged_by):
        request.judged_by = by


@requests.on(RequestResolved)
def resolve(request: RequestFact, event: RequestResolved) -> None:
    resolution = {"on": event.on.isoformat(), "seconds": event.seconds, "on_time": event.on_time, "by": event.by}
    request.resolutions = [*request.resolutions, resolution]
    request.resolved_on = request.last_resolved_on = event.on


@requests.on(RequestReopened)
def reopen(request: RequestFact, event: RequestReopened) -> None:
    request.reopenings = [*request.reopenings, event.on.isoformat()]
    request.resolved_on = request.judged_by = None
