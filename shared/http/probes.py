"""How a service says that it lives, that it can work, which version it is, and how it is doing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from shared import __version__
from shared.http.runtime import Runtime, runtime_of
from shared.identity.permissions import PUBLIC


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether a service can do its work; each part that cannot says why."""

    ready: bool
    parts: dict[str, str]


class Version(BaseModel):
    """Which Concert this is."""

    name: str
    version: str


def readiness_of(runtime: Runtime) -> Readiness:
    """The state of every part of a running service, `ok` or the reason why not."""
    parts: dict[str, str] = {}
    tasks: dict[str, Any] = runtime.extras.get("tasks", {})
    for name, task in tasks.items():
        parts[name] = f"stopped: {task.exception()}" if task.done() and not task.cancelled() else "ok"
    if runtime.relay is not None and runtime.relay.failure:
        parts["relay"] = runtime.relay.failure
    if runtime.consumer is not None:
        if runtime.consumer.failure:
            parts["applier"] = runtime.consumer.failure
        trouble = runtime.consumer.bus.healthy
        parts["bus"] = trouble or "ok"
    return Readiness(ready=all(state == "ok" for state in parts.values()), parts=parts)


def probes_router(service: str) -> APIRouter:
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
    async def read_readiness(request: Request) -> Readiness:
        """Whether the service can do its work, and which part cannot."""
        state = readiness_of(runtime_of(request))
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
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
