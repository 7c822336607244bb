"""`/v1/parked`: what a service could not apply, and what to do about it; who speaks for all shows all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json

from shared.audit import record
from shared.errors import Fault, Invalid, NotFound
from shared.http.documents import described
from shared.http.runtime import Runtime, runtime_of
from shared.identity.permissions import Principal, require
from shared.instant import now
from shared.neighbours import OTHERS
from shared.rounds import GivenUp
from shared.store import Context, Job, Snapshot, Tx
from shared.store.tables import Discarded, HeldEvent
from shared.store.types import text_of

_PARKED, _MEND = require("parked:read"), require("parked:write")
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]
_given_up = Discarded.__table__.c  # type: ignore[attr-defined]
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


class DiscardedShown(BaseModel):
    """An event that was given up and has not been applied since."""

    service: str = Field(description="who lacks it")
    subject: str
    version: int
    id: str
    type: str
    time: str
    at: str = Field(description="when it was given up")
    by: str
    reason: str | None = Field(description="why the loss is accepted; none while nobody has said so")


class Discarding(BaseModel):
    """Why an event is given up."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(
        default=None, min_length=1, max_length=500,
        description="why the loss is accepted; without one it goes on being alarmed about",
    )  # fmt: skip


class ParkedPage(BaseModel):
    """What is held, the oldest first."""

    items: list[ParkedShown]
    next: str | None = None
    discarded: list[DiscardedShown] = Field(description="what was given up and is lacking still, the latest first")
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
        held, silent = await _of_one(runtime, limit, subject), list[str]()
        if speaks_for_all and asked is None:
            others, silent = await _of_others(request, service, limit, subject)
            held = held.with_those(others, limit)
        page = {"items": held.items, "next": None, "discarded": held.discarded, "silent": silent}
        return Response(to_json(page), media_type="application/json")

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
        await _mend(request, f"{kind}/{id}", None, principal)
        return Response(status_code=204)

    @router.post(
        "/v1/parked/{kind}/{id}/discard",
        operation_id=f"discard_parked_{service}",
        openapi_extra=described(_MEND, None, {204: None}, missing=True),
        status_code=204,
    )
    async def discard_parked(
        request: Request,
        kind: str,
        id: str,
        principal: Annotated[Principal, Depends(_MEND)],
        asked: Asked = None,
        body: Discarding | None = None,
    ) -> Response:
        """Give up the parked event of a subject; it is recorded as skipped and those behind it go on. With a reason
        the loss is accepted, also of what was given up without one before."""
        _refuse_others(service, asked)
        given_up = GivenUp(principal.subject, body.reason if body else None)
        await _mend(request, f"{kind}/{id}", given_up, principal)
        return Response(status_code=204)

    return router


def _refuse_others(service: str, asked: str | None) -> None:
    if asked not in (None, service):
        detail = f"{asked!r} is not the service that answers here; this is {service!r}"
        raise Invalid(detail, [Fault("/service", detail)])


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What services hold, and what they have given up."""

    items: list[dict[str, Any]]
    discarded: list[dict[str, Any]]

    def with_those(self, others: Iterable[_Trouble], limit: int) -> _Trouble:
        """All of it, each in its order."""
        items = self.items + [each for other in others for each in other.items]
        discarded = self.discarded + [each for other in others for each in other.discarded]
        items.sort(key=lambda each: (each["since"], each["subject"], each["version"]))
        discarded.sort(key=lambda each: (each["at"], each["subject"], each["version"]), reverse=True)
        return _Trouble(items[:limit], discarded[:limit])


async def _of_one(runtime: Runtime, limit: int, subject: str | None) -> _Trouble:
    """What this service holds and lacks."""
    held = sa.select(HeldEvent).order_by(_held.since, _held.subject, _held.version).limit(limit)
    lacking = sa.select(Discarded).where(_given_up.lacking).limit(limit)
    lacking = lacking.order_by(_given_up.at.desc(), _given_up.subject, _given_up.version)
    if subject is not None:
        held, lacking = held.where(_held.subject == subject), lacking.where(_given_up.subject == subject)

    async def query(snapshot: Snapshot) -> _Trouble:
        items = [_shown(runtime.service, each) for each in await snapshot.all(HeldEvent, held)]
        return _Trouble(
            items, [_given_up_shown(runtime.service, each) for each in await snapshot.all(Discarded, lacking)]
        )

    return await runtime.store.read(query)


async def _of_others(
    request: Request, service: str, limit: int, subject: str | None
) -> tuple[list[_Trouble], list[str]]:
    """What the others hold and lack, asked with the reader's own token, and who did not say."""
    neighbours = runtime_of(request).extras["neighbours"]
    headers = {"Authorization": request.headers.get("authorization", "")}
    named = {} if subject is None else {"subject": subject}

    async def ask(other: str) -> _Trouble | None:
        try:
            answer = await neighbours.get(other, "/v1/parked", headers=headers, service=other, limit=limit, **named)
            # One that applies nothing has no such route.
            said = {} if answer.status_code == 404 else from_json(answer.content)
            return _Trouble(list(said.get("items", ())), list(said.get("discarded", ())))
        except (httpx.HTTPError, ValueError, AttributeError):
            return None

    others = [other for other in OTHERS if other != service]
    found = dict(zip(others, await asyncio.gather(*map(ask, others)), strict=True))
    return [each for each in found.values() if each is not None], [name for name, each in found.items() if each is None]


async def _mend(request: Request, subject: str, given_up: GivenUp | None, principal: Principal) -> None:
    """Try what is held for a subject again, or give it up."""
    runtime = runtime_of(request)
    select = sa.select(sa.func.count()).select_from(HeldEvent).where(_held.subject == subject)
    held = await runtime.store.read(lambda snapshot: snapshot.scalar(select))
    if held and runtime.consumer is not None:
        act = "retry" if given_up is None else "discard"
        record(runtime.settings.data, f"parked_{act}", subject=subject, by=principal.subject)
        await (runtime.consumer.replay(subject) if given_up is None else runtime.consumer.discard(subject, given_up))
    elif given_up is None or not await runtime.store.write(Job(partial(_accept, subject, given_up), Context(now()))):
        raise NotFound(f"Nothing is held for {subject}.")


async def _accept(subject: str, given_up: GivenUp, tx: Tx) -> int:
    """Say why what was given up before may be lost; how much of it nobody had said that of."""
    unsaid = sa.select(Discarded).where(_given_up.subject == subject, _given_up.lacking, _given_up.reason.is_(None))
    rows = await tx.all(Discarded, unsaid) if given_up.reason else []
    for row in rows:
        row.reason, row.by = given_up.reason, given_up.by
        tx.put(row)
    return len(rows)


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


def _given_up_shown(service: str, lost: Discarded) -> dict[str, Any]:
    told = {name: getattr(lost, name) for name in ("subject", "version", "id", "type", "time", "by", "reason")}
    return told | {"service": service, "at": text_of(lost.at)}
