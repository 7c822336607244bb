"""The books of an owner: per kind and shard how many things there are, which versions, and what they add up to.

Two books that agree in count and marks of a shard know the same versions of the same things; then their totals must be
equal, or one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from shared.errors import Fault, Invalid
from shared.http.documents import described
from shared.http.runtime import runtime_of
from shared.identity.permissions import require
from shared.instant import now
from shared.store import Entity, Snapshot
from shared.store.tables import Journal
from shared.store.types import text_of

_journal = Journal.__table__.c  # type: ignore[attr-defined]


class Line(BaseModel):
    """One shard of one kind: count, sum of marks, and the sum of amounts in minor units by currency."""

    kind: str
    shard: int
    count: int
    marks: int
    totals: dict[str, int]


class Books(BaseModel):
    """The control totals of one owner, all of one moment."""

    service: str
    at: str
    events: int
    lines: list[Line]


async def books_of(snapshot: Snapshot, kinds: Sequence[type[Entity]]) -> list[Line]:
    """The lines of the books for these kinds of things."""
    lines: dict[tuple[str, int], Line] = {}
    for kind in kinds:
        column = kind.__table__.c  # type: ignore[attr-defined]
        select = sa.select(
            column.shard,
            column.total_currency,
            sa.func.count(),
            sa.cast(sa.func.sum(column.mark), sa.BigInteger),
            sa.cast(sa.func.sum(column.total), sa.BigInteger),
        ).group_by(column.shard, column.total_currency)
        for shard, currency, count, marks, total in await snapshot.rows(select):
            line = lines.setdefault((kind.kind, shard), Line(kind=kind.kind, shard=shard, count=0, marks=0, totals={}))
            line.count += count
            line.marks += int(marks)
            if currency:
                line.totals[currency] = line.totals.get(currency, 0) + int(total)
    return [lines[key] for key in sorted(lines)]


def books_router(service: str, kinds: Sequence[type[Entity]]) -> APIRouter:
    """`GET /v1/books` of a service."""
    router = APIRouter(tags=["consistency"])
    may = require("books:read")

    @router.get("/v1/books", operation_id=f"books_of_{service}", openapi_extra=described(may, None, {200: Books}),
                dependencies=[Depends(may)])  # fmt: skip
    async def read_books(
        request: Request,
        asked: Annotated[str | None, Query(alias="service", description="the owner whose books are asked for")] = None,
    ) -> Books:
        """The control totals of this owner, from one snapshot."""
        if asked not in (None, service):
            detail = f"{asked!r} is not the owner that answers here; this is {service!r}"
            raise Invalid(detail, [Fault("/service", detail)])

        async def query(snapshot: Snapshot) -> Books:
            lines = await books_of(snapshot, kinds)
            told = sa.select(sa.func.count()).select_from(Journal).where(_journal.topic == f"concert.{service}")
            events = await snapshot.scalar(told)
            return Books(service=service, at=text_of(now()), events=events, lines=lines)

        return await runtime_of(request).store.read(query)

    return router
