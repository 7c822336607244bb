"""`/v1/parked`: what a service could not apply, and what to do about it; who speaks for all shows all of it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json

from shared.audit import record
from shared.errors import Fault, Invalid, NotFound
from shared.http.documents import described
from shared.http.runtime import Runtime, runtime_of
from shared.identity.permissions import Principal, require
from shared.neighbours import OTHERS
from shared.store import Snapshot
from shared.store.tables import HeldEvent
from shared.store.types import text_of

_PARKED, _MEND = require("parked:read"), require("parked:write")
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
MOST = 200
Asked = Annotated[str | None, Query(alias="service", description="only what this service holds")]


class ParkedShown(BaseModel):
    """An event that could not be applied, or that waits behind one."""

    service: str = Field(description="who could not apply it")
    subject: str
    version: int
    id: str
    type: str
    time: str
    since: str
    reason: str | None = Field(description="none for one that only waits")
    data: str | None = None


class ParkedPage(BaseModel):
    """What is held, the oldest first."""

    items: list[ParkedShown]
    next: str | None = None
    silent: list[str] = Field(description="services that did not say what they hold")


def parked_router(service: str, *, speaks_for_all: bool) -> APIRouter:
    """The routes of a service that applies events."""
    router = APIRouter(tags=["consistency"])

    @router.get(
        "/v1/parked",
        operation_id=f"list_parked_{service}",
        openapi_extra=described(_PARKED, None, {200: ParkedPage}),
        dependencies=[Depends(_PARKED)],
    )
    async def list_parked(
        request: Request,
        asked: Asked = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
        subject: Annotated[str | None, Query(description="only what is held of this subject, as deal/<id>")] = None,
    ) -> Response:
        """Events that are parked or wait, the oldest first."""
        _refuse_others(service, asked)
        runtime = runtime_of(request)
        items, silent = await _of_one(runtime, limit, subject), list[str]()
        if speaks_for_all and asked is None:
            others, silent = await _of_others(request, service, limit, subject)
            items = sorted(items + others, key=lambda each: (each["since"], each["subject"], each["version"]))[:limit]
        return Response(to_json({"items": items, "next": None, "silent": silent}), media_type="application/json")

    @router.post(
        "/v1/parked/{kind}/{id}/retry",
        operation_id=f"retry_parked_{service}",
        openapi_extra=described(_MEND, None, {204: None}, missing=True),
        status_code=204,
    )
    async def retry_parked(
        request: Request, kind: str, id: str, principal: Annotated[Principal, Depends(_MEND)], asked: Asked = None
    ) -> Response:
        """Try to apply what is held for a subject again, oldest first."""
        _refuse_others(service, asked)
        await _mend(request, f"{kind}/{id}", "retry", principal)
        return Response(status_code=204)

    @router.post(
        "/v1/parked/{kind}/{id}/discard",
        operation_id=f"discard_parked_{service}",
        openapi_extra=described(_MEND, None, {204: None}, missing=True),
        status_code=204,
    )
    async def discard_parked(
        request: Request, kind: str, id: str, principal: Annotated[Principal, Depends(_MEND)], asked: Asked = None
    ) -> Response:
        """Give up the parked event of a subject; it is recorded as skipped and those behind it go on."""
        _refuse_others(service, asked)
        await _mend(request, f"{kind}/{id}", "discard", principal)
        return Response(status_code=204)

    return router


def _refuse_others(service: str, asked: str | None) -> None:
    if asked not in (None, service):
        detail = f"{asked!r} is not the service that answers here; this is {service!r}"
        raise Invalid(detail, [Fault("/service", detail)])


async def _of_one(runtime: Runtime, limit: int, subject: str | None) -> list[dict[str, Any]]:
    """What this service holds."""

    async def query(snapshot: Snapshot) -> list[HeldEvent]:
        select = sa.select(HeldEvent).order_by(_held.since, _held.subject, _held.version).limit(limit)
        if subject is not None:
            select = select.where(_held.subject == subject)
        return await snapshot.all(HeldEvent, select)

    return [_shown(runtime.service, each) for each in await runtime.store.read(query)]


async def _of_others(
    request: Request, service: str, limit: int, subject: str | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """What the others hold, asked with the reader's own token, and who did not say."""
    neighbours = runtime_of(request).extras["neighbours"]
    headers = {"Authorization": request.headers.get("authorization", "")}
    named = {} if subject is None else {"subject": subject}

    async def ask(other: str) -> list[dict[str, Any]] | None:
        try:
            answer = await neighbours.get(other, "/v1/parked", headers=headers, service=other, limit=limit, **named)
            # One that applies nothing has no such route.
            return [] if answer.status_code == 404 else list(from_json(answer.content)["items"])
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    others = [other for other in OTHERS if other != service]
    found = dict(zip(others, await asyncio.gather(*map(ask, others)), strict=True))
    items = [item for held in found.values() for item in held or ()]
    return items, [other for other, held in found.items() if held is None]


async def _mend(request: Request, subject: str, act: str, principal: Principal) -> None:
    runtime = runtime_of(request)
    select = sa.select(sa.func.count()).select_from(HeldEvent).where(_held.subject == subject)
    held = await runtime.store.read(lambda snapshot: snapshot.scalar(select))
    if not held or runtime.consumer is None:
        raise NotFound(f"Nothing is held for {subject}.")
    record(runtime.settings.data, f"parked_{act}", subject=subject, by=principal.subject)
    await (runtime.consumer.replay(subject) if act == "retry" else runtime.consumer.discard(subject))


def _shown(service: str, held: HeldEvent) -> dict[str, Any]:
    return {
        "service": service,
        "subject": held.subject,
        "version": held.version,
        "id": held.id,
        "type": held.type,
        "time": held.time,
        "since": text_of(held.since),
        "reason": held.reason,
        "data": None if held.data is None else held.data.decode("utf-8", "replace"),
    }
