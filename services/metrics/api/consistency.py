"""`/v1/consistency`: the certificate; `/v1/parked`: what could not be applied, and what to do about it."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.consistency.certificate import Certificate
from shared.audit import record
from shared.errors import NotFound
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.store import Snapshot
from shared.store.tables import HeldEvent
from shared.store.types import text_of

router = APIRouter(tags=["consistency"])
_CONSISTENCY, _PARKED, _MEND = require("consistency:read"), require("parked:read"), require("parked:write")
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]


class InvariantShown(BaseModel):
    """Two ways to one number, and whether they agree."""

    name: str
    kind: str = Field(alias="class", description="A: the same facts; B: a fact and its effect; C: the owner's books")
    left: str
    right: str
    left_value: Any
    right_value: Any
    difference: Any
    holds: bool


class OwnerShown(BaseModel):
    """How far the views are with one owner's events and books."""

    known: int
    applied: int
    oldest_unapplied_seconds: float
    shards_verified: int


class CertificateShown(BaseModel):
    """Whether the five views agree with each other and with the books of the owners."""

    verdict: str = Field(examples=["consistent"], description="consistent, catching_up or inconsistent")
    verified_at: str | None
    reasons: list[str]
    invariants: list[InvariantShown]
    owners: dict[str, OwnerShown]
    parked: int
    waiting: int


class ParkedShown(BaseModel):
    """An event that could not be applied, or that waits behind one."""

    subject: str
    version: int
    id: str
    type: str
    time: str
    since: str
    reason: str | None = Field(description="none for one that only waits")
    data: str | None = None


@router.get(
    "/v1/consistency",
    operation_id="read_consistency",
    openapi_extra=described(_CONSISTENCY, None, {200: CertificateShown}),
    dependencies=[Depends(_CONSISTENCY)],
)
async def read_consistency(
    request: Request, fresh: Annotated[bool, Query(description="compute it now")] = False
) -> Response:
    """The certificate of consistency; never `consistent` when it is not known."""
    certificate: Certificate = runtime_of(request).extras["certificate"]
    last = certificate.last
    return _json(await certificate.look() if fresh or last is None else last)


@router.get(
    "/v1/parked",
    operation_id="list_parked",
    openapi_extra=described(_PARKED, None, {200: ParkedShown}, page=True),
    dependencies=[Depends(_PARKED)],
)
async def list_parked(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    subject: Annotated[str | None, Query(description="only what is held of this subject, as deal/<id>")] = None,
) -> Response:
    """Events that are parked or wait, the oldest first."""

    async def query(snapshot: Snapshot) -> list[HeldEvent]:
        select = sa.select(HeldEvent).order_by(_held.since, _held.subject, _held.version).limit(limit)
        if subject is not None:
            select = select.where(_held.subject == subject)
        return await snapshot.all(HeldEvent, select)

    held = await runtime_of(request).store.read(query)
    return _json({"items": [_shown(each) for each in held], "next": None})


@router.post(
    "/v1/parked/{kind}/{id}/retry",
    operation_id="retry_parked",
    openapi_extra=described(_MEND, None, {204: None}, missing=True),
    status_code=204,
)
async def retry_parked(
    request: Request, kind: str, id: str, principal: Annotated[Principal, Depends(_MEND)]
) -> Response:
    """Try to apply what is held for a subject again, oldest first."""
    await _mend(request, f"{kind}/{id}", "retry", principal)
    return Response(status_code=204)


@router.post(
    "/v1/parked/{kind}/{id}/discard",
    operation_id="discard_parked",
    openapi_extra=described(_MEND, None, {204: None}, missing=True),
    status_code=204,
)
async def discard_parked(
    request: Request, kind: str, id: str, principal: Annotated[Principal, Depends(_MEND)]
) -> Response:
    """Give up the parked event of a subject; it is recorded as skipped and those behind it go on."""
    await _mend(request, f"{kind}/{id}", "discard", principal)
    return Response(status_code=204)


async def _mend(request: Request, subject: str, act: str, principal: Principal) -> None:
    runtime = runtime_of(request)
    select = sa.select(sa.func.count()).select_from(HeldEvent).where(_held.subject == subject)
    held = await runtime.store.read(lambda snapshot: snapshot.scalar(select))
    if not held or runtime.consumer is None:
        raise NotFound(f"Nothing is held for {subject}.")
    record(runtime.settings.data, f"parked_{act}", subject=subject, by=principal.subject)
    await (runtime.consumer.replay(subject) if act == "retry" else runtime.consumer.discard(subject))


def _shown(held: HeldEvent) -> dict[str, Any]:
    return {
        "subject": held.subject,
        "version": held.version,
        "id": held.id,
        "type": held.type,
        "time": held.time,
        "since": text_of(held.since),
        "reason": held.reason,
        "data": None if held.data is None else held.data.decode("utf-8", "replace"),
    }


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")
