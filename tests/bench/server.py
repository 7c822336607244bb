"""The server that is measured: Concert as `make run` starts it, and beside it a route that only echoes a deal."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from concert.runner import listen, together
from concert.services import SERVICES
from services.targets.api.deals import OpenDeal
from shared import logs, settings
from shared.http.problems import parse
from shared.http.writes import as_json
from shared.identity.permissions import Principal, require

router = APIRouter()
_MAY = require("deals:write")


@router.post("/v1/echo", openapi_extra=_MAY.openapi)
async def echo(request: Request, principal: Principal = Depends(_MAY)) -> Response:
    """The same body judged by the same model, without a store."""
    body = parse(OpenDeal, await request.body())
    return Response(as_json(body.model_dump(mode="json")), 201, media_type="application/json")


async def main() -> None:
    """Serve until told to stop."""
    chosen = settings.load()
    logs.configure("warning", "json", sys.stderr)
    services = [replace(each, routers=(*each.routers, router)) if each.name == "targets" else each for each in SERVICES]
    async with together(chosen, services) as (origin, _):
        await listen(origin, chosen)


if __name__ == "__main__":
    asyncio.run(main())
