"""`/v1/imports`: what was brought in from other systems, and when, as whoever brings it in tells."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.metrics.domain.imports import ImportRun
from shared.http.bodies import Named, Source
from shared.http.collection import Collection, fresh
from shared.instant import Instant
from shared.store import Tx

imports = Collection(ImportRun, "imports", filters={"source": "source"})
Rows = Annotated[int, Field(ge=0, le=10**9, strict=True)]


class TellOfImport(Named):
    """A run that has ended: how many rows made something, changed something, were so already, or were refused."""

    source: Source = Field(description="the system, as references name it", examples=["hubspot"])
    began_at: Instant | None = Field(default=None, description="when it ended, if not said")
    ended_at: Instant | None = Field(default=None, description="now, if not said")
    complete: bool = Field(default=True, description="false of a run that broke off; what came of it stays")
    created: Rows = 0
    changed: Rows = 0
    unchanged: Rows = 0
    refused: Rows = 0


@imports.create
async def tell_of_import(tx: Tx, body: TellOfImport) -> ImportRun:
    """Tell that an import has ended, so that the view of IT can say how fresh its source is."""
    ended = body.ended_at or tx.now
    counts = {name: getattr(body, name) for name in ("created", "changed", "unchanged", "refused")}
    told = ImportRun.tell(
        tx.now, source=body.source, began_at=body.began_at or ended, ended_at=ended, complete=body.complete,
        **counts, **fresh(ImportRun, body),
    )  # fmt: skip
    return tx.save(*told)
