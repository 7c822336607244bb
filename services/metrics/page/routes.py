"""The pages: the five views, the rows behind a figure, the history behind a row, the certificate."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.metrics.page import entry
from services.metrics.page.aims import aims
from services.metrics.page.answers import HEADERS, asset_response, frame, open_to, page
from services.metrics.page.asked import Asked, address
from services.metrics.page.board import Board
from services.metrics.page.called import refs_in, titled
from services.metrics.page.dashboard import Dashboard, look
from services.metrics.page.entry import shown_to_visitor
from services.metrics.page.history import history_of
from services.metrics.page.periods import pieces_of, unit_of
from services.metrics.page.rows import figure_rows
from shared.errors import NotFound
from shared.http.runtime import runtime_of
from shared.identity.permissions import PUBLIC, Principal, forbidden

router = APIRouter(include_in_schema=False)


@router.get("/", openapi_extra=PUBLIC)
async def read_page(request: Request, login: Annotated[str | None, Query()] = None) -> Response:
    """The view of a department, with the headlines of the others."""
    if login is not None:
        return entry.redeem(request, login)
    return await shown_to_visitor(request, lambda principal: _view(request, principal))


@router.get("/rows", openapi_extra=PUBLIC)
async def read_figure_rows(
    request: Request, figure: Annotated[str, Query()], cursor: Annotated[str | None, Query()] = None
) -> Response:
    """What a figure is made of."""

    async def show(principal: Principal) -> Response:
        asked = Asked.of(request)
        department = _one_of(principal, asked.view)
        found = await figure_rows(request, asked.on(view=department), figure, cursor, principal)
        return page("rows.html", **frame(request, principal, "views"), **found)

    return await shown_to_visitor(request, show)


@router.get("/history", openapi_extra=PUBLIC)
async def read_thing_history(
    request: Request, of: Annotated[str, Query()], cursor: Annotated[str | None, Query()] = None
) -> Response:
    """What happened to a thing, event by event, as its owner tells it to this reader."""

    async def show(principal: Principal) -> Response:
        found = await history_of(request, of, cursor, principal)
        return page("history.html", **frame(request, principal, "views"), **found)

    return await shown_to_visitor(request, show)


@router.get("/goals", openapi_extra=PUBLIC)
async def read_aims(request: Request) -> Response:
    """What is aimed at, and how far it is attained today."""

    async def show(principal: Principal) -> Response:
        if not principal.may("goals:read"):
            raise forbidden("goals:read")
        return page("aims.html", **frame(request, principal, "goals"), **await aims(request, principal))

    return await shown_to_visitor(request, show)


@router.get("/consistency", openapi_extra=PUBLIC)
async def read_certificate(request: Request, fresh: Annotated[bool, Query()] = False) -> Response:
    """Whether the five views agree, and how that is known."""

    async def show(principal: Principal) -> Response:
        if not principal.may("consistency:read"):
            raise forbidden("consistency:read")
        certificate = runtime_of(request).extras["certificate"]
        seen = await certificate.look() if fresh or certificate.last is None else certificate.last
        may_mend = principal.may("parked:read")
        return page("consistency.html", **frame(request, principal, "consistency"), seen=seen, may_mend=may_mend)

    return await shown_to_visitor(request, show)


@router.get("/assets/{name}", openapi_extra=PUBLIC)
async def read_asset(name: str) -> Response:
    """The style sheet, the script and the mark."""
    found = asset_response(name)
    if found is None:
        raise NotFound(f"There is nothing at /assets/{name}.")
    return found


async def _view(request: Request, principal: Principal) -> Response:
    asked = Asked.of(request)
    if not request.query_params and not open_to(principal) and principal.may("scorecards:read"):
        # A member may read no department's view, and begins with what concerns them.
        return RedirectResponse("/scorecards", 303, dict(HEADERS))
    _one_of(principal, asked.view)
    departments = open_to(principal)
    found: Dashboard = await runtime_of(request).store.read(
        lambda snapshot: look(snapshot, asked, principal, departments)
    )
    unit = unit_of(found.period)
    board = Board(found, await titled(request, refs_in(found.view["figures"])))
    context: dict[str, Any] = {"look": found, "board": board, "unit": unit, "pieces": pieces_of(found.period)}
    return page("view.html", **frame(request, principal, "views"), **context, api=_api(found))


def _api(found: Dashboard) -> str:
    query = found.asked.query()
    return address(f"/v1/views/{query.pop('view')}", query)


def _one_of(principal: Principal, view: str | None) -> str:
    """The view to show: the one asked for, or the first that is open. Raises Forbidden."""
    departments = open_to(principal)
    if view is not None and view not in departments:
        raise forbidden(f"views.{view}:read")
    if not departments:
        raise forbidden("views:read")
    return view or departments[0]
