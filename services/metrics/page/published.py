"""The published documents: `/openapi.json` of all services, `/asyncapi.json`, `/docs`, and `/problems`."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic_core import to_json

from services.metrics.page.answers import frame, page
from services.metrics.page.meanings import Meaning, meanings
from services.metrics.page.merged import Merged
from services.metrics.page.reference import chapters
from shared.errors import NotFound, Problem, Unauthenticated
from shared.http.asyncapi import asyncapi_of
from shared.http.runtime import Runtime, runtime_of
from shared.identity.permissions import PUBLIC, Principal, principal_of

router = APIRouter(tags=["operations"])
_DOCUMENT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {"schema": {"type": "object"}}}}}


@router.get("/openapi.json", operation_id="openapi", openapi_extra=PUBLIC, response_class=Response, responses=_DOCUMENT)
async def read_openapi(request: Request) -> Response:
    """What all services offer, as one OpenAPI document."""
    return _json(await _merged(request))


@router.get(
    "/asyncapi.json", operation_id="asyncapi", openapi_extra=PUBLIC, response_class=Response, responses=_DOCUMENT
)
async def read_asyncapi(request: Request) -> Response:
    """What the services tell on the log, as an AsyncAPI 3 document."""
    return _json(asyncapi_of(runtime_of(request).settings))


@router.get("/docs", openapi_extra=PUBLIC, include_in_schema=False)
async def read_docs(request: Request) -> Response:
    """The API of all services, to read."""
    document = await _merged(request)
    found = chapters(document, runtime_of(request).settings.origin)
    context: dict[str, Any] = {
        "document": document,
        "chapters": found,
        "many": sum(len(operations) for _, operations in found),
    }
    return page("docs.html", **frame(request, await _perhaps(request), "docs"), **context)


@router.get("/problems", openapi_extra=PUBLIC, include_in_schema=False)
async def read_problems(request: Request) -> Response:
    """Every kind of problem."""
    return page("problems.html", **frame(request, await _perhaps(request), "docs"), meanings=_meanings().values())


@router.get("/problems/{name}", openapi_extra=PUBLIC, include_in_schema=False)
async def read_problem(request: Request, name: str) -> Response:
    """What a kind of problem means and what to do about it."""
    if name not in _meanings():
        raise NotFound(f"There is no problem of type {name!r}; there are {', '.join(_meanings())}.")
    return page("problems.html", **frame(request, await _perhaps(request), "docs"), meanings=[_meanings()[name]])


async def prepare_pages(runtime: Runtime) -> None:
    """Answer the problems of pages with pages."""
    runtime.extras["problem_page"] = problem_page


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem for somebody who reads."""
    trace = request.scope.get("trace_id", "")
    answer = page("problem.html", problem.status, problem=problem.document(), trace=trace, **frame(request, None))
    answer.headers.update(problem.headers)
    return answer


async def _merged(request: Request) -> dict[str, Any]:
    runtime = runtime_of(request)
    merged: Merged = runtime.extras.setdefault("merged_openapi", Merged(runtime))
    merged.own = request.app.openapi()
    return await merged.document()


async def _perhaps(request: Request) -> Principal | None:
    """Who reads, if anybody is logged in."""
    try:
        return await principal_of(request)
    except Unauthenticated:
        return None


@cache
def _meanings() -> dict[str, Meaning]:
    return {meaning.type: meaning for meaning in meanings()}


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json", headers={"Access-Control-Allow-Origin": "*"})
