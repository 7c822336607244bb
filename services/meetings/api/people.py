"""Names and addresses of members, asked of teams on behalf of the reader and kept nowhere here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import httpx
from fastapi import Request

from shared.http.runtime import runtime_of
from shared.identity.permissions import Principal

AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader may know of a member."""

    name: str
    email: str | None


async def people_told(request: Request, reader: Principal, ids: Iterable[str]) -> dict[str, Told]:
    """What teams tells the reader of members; those of whom it tells nothing now are left out."""
    if not reader.may("people:read"):
        return {}
    neighbours, limit = runtime_of(request).extras["neighbours"], asyncio.Semaphore(AT_ONCE)
    as_reader = {name: value for name in ("authorization", "cookie") if (value := request.headers.get(name))}

    async def told(member: str) -> Told | None:
        async with limit:
            try:
                answer = await neighbours.get("teams", f"/v1/members/{member}", headers=as_reader)
            except httpx.HTTPError:
                return None
        if answer.status_code != httpx.codes.OK:
            return None
        shown = answer.json()
        return Told(shown["name"], shown.get("email")) if shown.get("name") else None

    asked = list(ids)
    found = await asyncio.gather(*(told(each) for each in asked))
    return {member: known for member, known in zip(asked, found, strict=True) if known is not None}
