"""`/v1/views`: the five views, each breakdown and filter of one request from one snapshot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.views import VIEWS
from services.metrics.views.frame import Reading, Shelf, View
from services.metrics.views.question import BREAKDOWNS, Question
from services.metrics.views.rows import SOURCES, rows_of
from services.metrics.views.shown import moment_of, question_of, show
from shared.asked_period import AskedPeriod, asked_period
from shared.errors import Fault, Invalid, NotFound
from shared.http.documents import described
from shared.http.pages import Cursor, link_next
from shared.http.runtime import runtime_of
from shared.http.waiting import Progress, Token, patience_of, tokens_of
from shared.identity.permissions import Principal, require
from shared.money import Currency
from shared.store import Snapshot

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
    relationships: dict[str, dict[str, Any]] | None = Field(
        default=None, description="the figures that say how clients, employees and the public stand to each other"
    )
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query parameters of a view ask for."""

    period: AskedPeriod
    breakdown: str | None
    filters: dict[str, str]
    after: Sequence[Token]
    patience: float
    progress: Progress
    currency: str | None = None

    async def answer(self, query: Callable[[Snapshot, Question], Awaitable[Any]]) -> Any:
        """What a query finds in one snapshot that holds everything that was waited for."""

        async def ask(snapshot: Snapshot) -> Any:
            return await query(snapshot, await question_of(snapshot, self.period, self.filters, self.currency))

        return await self.progress.read(self.after, self.patience, ask)


async def asked_view(
    request: Request,
    period: Annotated[AskedPeriod, Depends(asked_period)],
    breakdown: Annotated[str | None, Query(description=f"one of {', '.join(BREAKDOWNS)}")] = None,
    department_is: Annotated[str | None, Query(alias="department", description="only this department")] = None,
    team: Annotated[str | None, Query(description="only this team")] = None,
    group: Annotated[str | None, Query(description="only this group")] = None,
    member: Annotated[str | None, Query(description="only this member")] = None,
    customer: Annotated[str | None, Query(description="only this customer")] = None,
    product: Annotated[str | None, Query(description="only this product")] = None,
    region: Annotated[str | None, Query(description="only the teams of this region")] = None,
    kind: Annotated[str | None, Query(description="only this kind of expenses, requests or setbacks")] = None,
    currency: Annotated[
        Currency | None, Query(description="convert all money into this, by the rates of its days")
    ] = None,
    after: Annotated[list[str], Query(description="wait until these versions are here; repeatable")] = [],  # noqa: B006
    prefer: Annotated[str | None, Header(description="`wait=<seconds>`, default 5, at most 30")] = None,
) -> Asked:
    """What a request asks for. Not a class of its own: FastAPI would make each one in another thread."""
    if breakdown is not None and breakdown not in BREAKDOWNS:
        detail = f"a breakdown is by one of {', '.join(BREAKDOWNS)}; not by {breakdown!r}"
        raise Invalid(detail, [Fault("/breakdown", detail)])
    given = {
        "department": department_is, "team": team, "group": group, "member": member, "customer": customer,
        "product": product, "region": region, "kind": kind,
    }  # fmt: skip
    filters = {dim: value for dim, value in given.items() if value}
    return Asked(
        period, breakdown, filters, tokens_of(after), patience_of(prefer), runtime_of(request).progress, currency
    )


@router.get(
    "/v1/views",
    operation_id="read_views",
    openapi_extra=described(_ALL, None, {200: ViewsShown}, missing=True),
)
async def read_views(
    principal: Annotated[Principal, Depends(_ALL)], asked: Annotated[Asked, Depends(asked_view)]
) -> Response:
    """All five views from one snapshot."""

    async def query(snapshot: Snapshot, question: Question) -> dict[str, Any]:
        as_of, shelf = await moment_of(snapshot), Shelf()
        views = {name: await show(view, snapshot, question, asked.breakdown, principal, as_of, shelf)
                 for name, view in VIEWS.items()}  # fmt: skip
        return {"as_of": as_of, "views": views}

    return _json(await asked.answer(query))


@router.get(
    "/v1/views/{department}",
    operation_id="read_view",
    openapi_extra=described(_ONE, None, {200: ViewShown}, missing=True),
)
async def read_view(
    department: str, principal: Annotated[Principal, Depends(_ONE)], asked: Annotated[Asked, Depends(asked_view)]
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
    principal: Annotated[Principal, Depends(_ONE)],
    asked: Annotated[Asked, Depends(asked_view)],
    figure: Annotated[str, Query(description="the key of a figure")],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query()] = None,
) -> Response:
    """What a figure is made of, row by row."""
    found = _view(department).figure(figure)
    if found is None:
        raise NotFound(f"The view of {department} has no figure {figure!r}.", [Fault("/figure", "not known")])
    if found.rows is None:
        raise NotFound(f"{figure} has no rows of its own: {found.opens}. {found.definition}")
    source = SOURCES[found.rows]

    async def query(snapshot: Snapshot, question: Question) -> Any:
        return await rows_of(source, Reading(snapshot, question), Cursor.read(cursor).last, limit, principal)

    items, last = await asked.answer(query)
    following = Cursor(last).text() if last else None
    answer = _json({"items": items, "next": following})
    answer.headers.update(link_next(request, following))
    return answer


def _view(department: str) -> View:
    if department not in VIEWS:
        raise NotFound(f"There is no view {department!r}; there are {', '.join(VIEWS)}.")
    return VIEWS[department]


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")
