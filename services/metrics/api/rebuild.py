"""`/v1/views/rebuild`: building the views anew from the log, while they are read."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.metrics.mending import RebuildRun, mender_of
from shared.audit import record
from shared.errors import NotFound
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal, require
from shared.store.types import text_of

router = APIRouter(tags=["views"])
_MAY = require("views:write")
PATH = "/v1/views/rebuild"


class RebuildShown(BaseModel):
    """A rebuild of the views: how far it is, or what came of it."""

    state: str = Field(
        examples=["running"],
        description="running, adopted, failed (with the reason), or lost when its process ended before it was adopted",
    )
    by: str = Field(description="who asked for it")
    started_at: str
    told_at: str = Field(description="when it last said how far it is")
    done: int = Field(description="records of the log that have been applied anew, of those that the views hold")
    records: int = Field(description="records of the log that the views hold")
    differences: dict[str, int] = Field(description="by table, how many rows were not what the log gives")
    reason: str | None


@router.post(
    PATH,
    operation_id="rebuild_views",
    status_code=202,
    openapi_extra=described(_MAY, None, {202: RebuildShown}, conflict=True),
)
async def rebuild_views(request: Request, principal: Annotated[Principal, Depends(_MAY)]) -> Response:
    """Begin to build the views anew from the log; they are read and kept up meanwhile, and replaced at once when the
    new ones have passed them."""
    runtime = runtime_of(request)
    record(runtime.settings.data, "views_rebuild", by=principal.subject)
    run = await mender_of(runtime).begin(principal.subject)
    return _answer(run, 202, Location=PATH)


@router.get(
    PATH,
    operation_id="read_rebuild",
    openapi_extra=described(_MAY, None, {200: RebuildShown}, missing=True),
    dependencies=[Depends(_MAY)],
)
async def read_rebuild(request: Request) -> Response:
    """The rebuild that runs, or was the last."""
    run = await mender_of(runtime_of(request)).latest()
    if run is None:
        raise NotFound("The views have never been rebuilt.")
    return _answer(run)


def _answer(run: RebuildRun, status: int = 200, **headers: str) -> Response:
    shown: dict[str, Any] = {
        "state": run.state,
        "by": run.by,
        "started_at": text_of(run.started_at),
        "told_at": text_of(run.told_at),
        "done": run.done,
        "records": run.records,
        "differences": run.differences,
        "reason": run.reason,
    }
    return Response(to_json(shown), status, media_type="application/json", headers=headers)
