"""The form by which it is settled on which grounds teams are reviewed; it does what `/v1/review-charters` does."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from pydantic_core import to_json

from services.metrics.api.charters import (
    ChangeCharter,
    DrawUpCharter,
    change_charter,
    charter_of,
    draw_up_charter,
)
from services.metrics.domain.charters import ReviewCharter
from services.metrics.page.answers import HEADERS
from shared.http.problems import parse
from shared.http.writes import Answer, write
from shared.identity.permissions import Principal, forbidden
from shared.store import Tx

MAY = "review-charters:write"
FIELDS = ("purpose", "assessment", "assessed_on", "consulted_on", "told_on")


async def settled(request: Request, typed: Mapping[str, str], principal: Principal) -> None:
    """Settle as much as is typed: in the charter in force, or in a first one."""
    if not principal.may(MAY):
        raise forbidden(MAY)
    said = to_json({name: typed[name] or None for name in FIELDS})
    first, next_one = parse(DrawUpCharter, said), parse(ChangeCharter, said)

    async def settle(tx: Tx) -> Answer:
        found = await charter_of(tx)
        if found is None:
            await draw_up_charter(tx, first)
        else:
            await change_charter(tx, await tx.load(ReviewCharter, found.id), next_one)
        return Answer(303, b"", {**HEADERS, "Location": "/reviews#grounds-title"})

    await write(request, principal, settle)


async def typed_of(request: Request) -> dict[str, str]:
    """What was typed, field by field."""
    form = await request.form()
    return {name: str(form.get(name, "")).strip() for name in FIELDS}
