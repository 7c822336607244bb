"""`/v1/views`: the five views, each breakdown and filter of one request from one snapshot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.facts.teams import OrganisationFact
from services.metrics.views import VIEWS
from services.metrics.views.frame import BREAKDOWNS, STRETCHES, Question, Reading, View, compute
from services.metrics.views.names import keys_of, names_of
from services.metrics.views.rows import SOURCES, rows_of
from shared.asked_period import AskedPeriod, asked_period
from shared.errors import Fault, Invalid, NotFound
from shared.http.documents import described
from shared.http.pages import Cursor, link_next
from shared.http.runtime import runtime_of
from shared.http.waiting import patience_of, tokens_of
from shared.identity.permissions import Principal, require
from shared.instant import day_of, now
from shared.store import Snapshot
from shared.store.tables import HeldEvent, SourceProgress

router = APIRouter(tags=["views"])
_ONE = require("views.{department}:read")
_ALL = require("views:read")


class AsOf(BaseModel):
    """The moment a view speaks of: the latest recorded time among the events it holds, and how many they are."""

    time: str | None
    applied: dict[str, int]
    incomplete: int = Field(description="events that wait or are parked and could touch the view")


class ViewShown(BaseModel):
    """One department's view of a period."""

    department: str
    period: dict[str, str]
    as_of: AsOf
    currency: str
    figures: dict[str, Any]
    breakdown: dict[str, Any] | None = None
    definitions: dict[str, str]
    notes: list[dict[str, str]]


class ViewsShown(BaseModel):
    """All five views, of one and the same moment."""

    as_of: AsOf
    views: dict[str, ViewShown]


class RowShown(BaseModel):
    """A thing that a figure is made of."""

    ref: str


class Asked:
    """What the query parameters of a view ask for."""

    def __init__(
        self,
        request: Request,
        period: Annotated[AskedPeriod, Depends(asked_period)],
        breakdown: Annotated[str | None, Query(description=f"one of {', '.join(BREAKDOWNS)}")] = None,
        department_is: Annotated[str | None, Query(alias="department", description="only this department")] = None,
        team: Annotated[str | None, Query(description="only this team")] = None,
        group: Annotated[str | None, Query(description="only this group")] = None,
        member: Annotated[str | None, Query(description="only this member")] = None,
        customer: Annotated[str | None, Query(description="only this customer")] = None,
        product: Annotated[str | None, Query(description="only this product")] = None,
        after: Annotated[list[str], Query(description="wait until these versions are here; repeatable")] = [],  # noqa: B006
        prefer: Annotated[str | None, Header(description="`wait=<seconds>`, default 5, at most 30")] = None,
    ) -> None:
        if breakdown is not None and breakdown not in BREAKDOWNS:
            detail = f"a breakdown is by one of {', '.join(BREAKDOWNS)}; not by {breakdown!r}"
            raise Invalid(detail, [Fault("/breakdown", detail)])
        self.period = period
        self.breakdown = breakdown
        given = {
            "department": department_is, "team": team, "group": group, "member": member, "customer": customer,
            "product": product,
        }  # fmt: skip
        self.filters = {dim: value for dim, value in given.items() if value}
        self.after = tokens_of(after)
        self.patience = patience_of(prefer)
        self.progress = runtime_of(request).progress

    async def answer(self, query: Callable[[Snapshot, Question], Awaitable[Any]]) -> Any:
        """What a query finds in one snapshot that holds everything that was waited for."""

        async def ask(snapshot: Snapshot) -> Any:
            return await query(snapshot, await self.question(snapshot))

        return await self.progress.read(self.after, self.patience, ask)

    async def question(self, snapshot: Snapshot) -> Question:
        """The question in the organisation's terms."""
        filters: dict[str, str] = {}
        for dim, ref in self.filters.items():
            found = await snapshot.resolve(dim, ref)
            if found is None:
                raise NotFound(f"There is no {dim} {ref} here.", [Fault(f"/{dim}", "not known")])
            filters[dim] = found
        house = await snapshot.find(OrganisationFact, "organisation") or OrganisationFact.make(id="organisation")
        return Question(
            self.period.resolve(house.first_month),
            day_of(now(), house.zone),
            filters,
            house.currency,
            house.first_month,
            house.zone,
        )


@router.get(
    "/v1/views",
    operation_id="read_views",
    openapi_extra=described(_ALL, None, {200: ViewsShown}, missing=True),
)
async def read_views(
    asked: Annotated[Asked, Depends()], principal: Annotated[Principal, Depends(_ALL)]
) -> Response:
    """All five views from one snapshot."""

    async def query(snapshot: Snapshot, question: Question) -> dict[str, Any]:
        as_of = await moment_of(snapshot)
        views = {name: await show(view, snapshot, question, asked.breakdown, principal, as_of)
                 for name, view in VIEWS.items()}  # fmt: skip
        return {"as_of": as_of, "views": views}

    return _json(await asked.answer(query))


@router.get(
    "/v1/views/{department}",
    operation_id="read_view",
    openapi_extra=described(_ONE, None, {200: ViewShown}, missing=True),
)
async def read_view(
    department: str, asked: Annotated[Asked, Depends()], principal: Annotated[Principal, Depends(_ONE)]
) -> Response:
    """One department's view."""
    view = _view(department)

    async def query(snapshot: Snapshot, question: Question) -> dict[str, Any]:
        return await show(view, snapshot, question, asked.breakdown, principal, await moment_of(snapshot))

    return _json(await asked.answer(query))


@router.get(
    "/v1/views/{department}/rows",
    operation_id="read_rows",
    openapi_extra=described(_ONE, None, {200: RowShown}, page=True, missing=True),
)
async def read_rows(
    request: Request,
    department: str,
    asked: Annotated[Asked, Depends()],
    principal: Annotated[Principal, Depends(_ONE)],
    figure: Annotated[str, Query(description="the key of a figure")],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """What a figure is made of, row by row."""
    found = _view(department).figure(figure)
    if found is None:
        raise NotFound(f"The view of {department} has no figure {figure!r}.", [Fault("/figure", "not known")])
    if found.rows is None:
        raise NotFound(f"{figure} is computed from other figures and has no rows of its own: {found.definition}")
    source = SOURCES[found.rows]

    async def query(snapshot: Snapshot, question: Question) -> Any:
        return await rows_of(source, Reading(snapshot, question), Cursor.read(cursor).last, limit, principal)

    items, last = await asked.answer(query)
    following = Cursor(last).text() if last else None
    answer = _json({"items": items, "next": following})
    answer.headers.update(link_next(request, following))
    return answer


async def show(
    view: View,
    snapshot: Snapshot,
    question: Question,
    breakdown: str | None,
    principal: Principal,
    as_of: Mapping[str, Any],
) -> dict[str, Any]:
    """A view as it is shown."""
    reading = Reading(snapshot, question)
    figures = await compute(view, reading)
    shown: dict[str, Any] = {
        "department": view.department,
        "period": question.period.as_json(),
        "as_of": as_of,
        "currency": question.currency,
        "figures": figures,
        "definitions": {figure.key: figure.definition for figure in view.figures},
        "notes": [{"figure": key, "why": why} for key, why in reading.notes.items()],
    }
    if breakdown is not None:
        shown["breakdown"] = {"by": breakdown, "rows": await broken_down(view, reading, breakdown, principal)}
    return shown


async def broken_down(view: View, reading: Reading, by: str, principal: Principal) -> list[dict[str, Any]]:
    """The rows of a breakdown: the same figures for each part of the period, or for each of a dimension."""
    question = reading.question
    if by in STRETCHES:
        parts = question.period.split(STRETCHES[by], question.first_month)
        return [
            {"ref": part.label, "name": part.label, "figures": await compute(view, reading.within(part))}
            for part in parts
        ]
    keys = await keys_of(reading, by)
    names = await names_of(reading.snapshot, by, keys, principal)
    rows = [
        {"ref": key or None, "name": names.get(key, key) or "none", "figures": await compute(view, reading.row(by, key))}
        for key in keys
    ]
    return sorted(rows, key=lambda row: (str(row["name"]), str(row["ref"])))


async def moment_of(snapshot: Snapshot) -> dict[str, Any]:
    """What a snapshot holds."""
    progress = await snapshot.all(SourceProgress, sa.select(SourceProgress))
    held = await snapshot.scalar(sa.select(sa.func.count()).select_from(HeldEvent))
    applied = {owner: 0 for owner in ("teams", "targets", "meetings")}
    applied |= {row.owner: row.applied for row in progress}
    return {
        "time": max((row.latest for row in progress), default=None) or None,
        "applied": applied,
        "incomplete": int(held or 0),
    }


def _view(department: str) -> View:
    if department not in VIEWS:
        raise NotFound(f"There is no view {department!r}; there are {', '.join(VIEWS)}.")
    return VIEWS[department]


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")


