"""How a service says that it lives, that it can work, which version it is, and how it is doing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from pydantic_core import from_json

from shared import __version__
from shared.http import gauges
from shared.http.runtime import Runtime, runtime_of
from shared.identity.permissions import PUBLIC
from shared.neighbours import OTHERS


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether a service can do its work; each part that cannot says why."""

    ready: bool
    parts: dict[str, str] = Field(description="`ok` or the reason why not; of other services with their name before it")
    parked: int | None = Field(description="events that could not be applied, each of which blocks its subject only")


class Version(BaseModel):
    """Which Concert this is."""

    name: str
    version: str


async def _parked(runtime: Runtime) -> int | None:
    reading = await runtime.pulse.read() if runtime.pulse is not None else None
    return None if reading is None else reading.parked


async def _others(runtime: Runtime) -> tuple[dict[str, str], int]:
    """What is not ready elsewhere, and how much is parked there."""

    async def ask(other: str) -> Mapping[str, Any]:
        try:
            answer = await runtime.extras["neighbours"].get(other, "/readyz", headers={}, seconds=3)
            return dict(from_json(answer.content))
        except (httpx.HTTPError, ValueError):
            return {"parts": {"": "does not answer"}}

    parts: dict[str, str] = {}
    parked = 0
    for other, said in zip(OTHERS, await asyncio.gather(*map(ask, OTHERS)), strict=True):
        states = said.get("parts", {})
        parts |= {f"{other} {part}".strip(): state for part, state in states.items() if state != "ok"} or {other: "ok"}
        parked += said.get("parked") or 0
    return parts, parked


def probes_router(service: str, *, speaks_for_all: bool) -> APIRouter:
    """`/livez`, `/readyz`, `/version` and `/metrics`."""
    router = APIRouter(tags=["operations"])

    @router.get("/livez", operation_id=f"livez_{service}", openapi_extra=PUBLIC)
    async def read_liveness() -> Alive:
        """The process answers; nothing else is checked."""
        return Alive()

    @router.get(
        "/readyz",
        operation_id=f"readyz_{service}",
        openapi_extra=PUBLIC,
        responses={503: {"model": Readiness, "description": "Not ready, and which part is not"}},
    )
    async def read_readiness(
        request: Request,
        others: Annotated[bool, Query(description="whether the one that speaks for all asks the others too")] = True,
    ) -> Readiness:
        """Whether the service can do its work, and which part cannot."""
        runtime = runtime_of(request)
        parked, parts = await _parked(runtime), runtime.parts()
        if speaks_for_all and others:
            theirs, more = await _others(runtime)
            parts, parked = parts | theirs, None if parked is None else parked + more
        state = Readiness(ready=all(said == "ok" for said in parts.values()), parts=parts, parked=parked)
        if state.ready:
            return state
        return JSONResponse(state.model_dump(), 503)  # type: ignore[return-value]

    @router.get("/version", operation_id=f"version_{service}", openapi_extra=PUBLIC)
    async def read_version() -> Version:
        """Which version is running."""
        return Version(name=f"concert {service}", version=__version__)

    @router.get(
        "/metrics",
        operation_id=f"metrics_{service}",
        openapi_extra=PUBLIC,
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def read_metrics() -> Response:
        """Figures for Prometheus."""
        return Response(await gauges.told(), media_type=CONTENT_TYPE_LATEST)

    return router
