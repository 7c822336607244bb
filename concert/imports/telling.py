"""Telling Concert that an import has ended, so that the view of IT can say how fresh its source is."""

from __future__ import annotations

from datetime import datetime

import httpx

from concert.imports.asking import detail_of
from concert.imports.report import Report
from concert.imports.send import Outcome


async def tell_of(
    client: httpx.AsyncClient, source: str, began_at: datetime, outcome: Outcome | None, report: Report
) -> None:
    """Tell of a run, of one without an outcome that it broke off. What came stays, whether this is taken or not."""
    told: dict[str, object] = {"source": source, "began_at": began_at.isoformat(), "complete": outcome is not None}
    if outcome is not None:
        told |= {"created": outcome.created, "changed": outcome.done, "unchanged": outcome.unchanged,
                 "refused": len(report.refused)}  # fmt: skip
    try:
        answer = await client.post("/v1/imports", json=told)
    except httpx.HTTPError as fault:
        report.remark(f"The view of IT does not know of this import: {fault or type(fault).__name__}.")
        return
    if not answer.is_success:
        report.remark(f"The view of IT does not know of this import: {detail_of(answer)}.")
