"""`/v1/consistency`: the certificate."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.consistency.certificate import Certificate
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import require
from shared.store.tables import HeldEvent

router = APIRouter(tags=["consistency"])
_CONSISTENCY, _PARKED, _MEND = require("consistency:read"), require("parked:read"), require("parked:write")
_held = HeldEvent.__table__.c  # type: ignore[attr-defined]


class PendingShown(BaseModel):
    """Something whose effect is not there yet, or an effect whose cause is not, by so much."""

    cause: str
    amount: Any


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
    pending: list[PendingShown] | None = Field(default=None, description="of class B: left = right + these")


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
    settled_at: str | None = Field(
        description="when nothing was wrong or in doubt but what follows from losses that somebody has accepted"
    )
    accepted: bool = Field(description="whether all reasons follow from losses that somebody has accepted")
    reasons: list[str]
    invariants: list[InvariantShown]
    owners: dict[str, OwnerShown]
    parked: int
    waiting: int


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


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")
